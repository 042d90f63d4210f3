import type { ActivityStorage } from "@belfry/core/storage";
import { type Bound, bind, run } from "../database/bind.ts";
import { prepareNote } from "../delivery/change-send.ts";
import { prepareAuditOf, prepareEraseAudit, prepareExportAudit, prepareSweepAudit } from "./audit.ts";
import { prepareDeleteNotification } from "./delete.ts";
import { prepareHealth } from "./health.ts";
import { prepareCount, prepareSearch } from "./search.ts";
import { prepareFindActivity, prepareItemsOf } from "./summaries.ts";

/** An operator's questions to PostgreSQL. Each is one or two statements, each on its own connection. */
export function postgresActivity(bound: Bound): ActivityStorage {
  return bind(bound, {
    search: run(prepareSearch),
    count: run(prepareCount),
    find: run(prepareFindActivity),
    itemsOf: run(prepareItemsOf),
    auditOf: run(prepareAuditOf),
    note: run(prepareNote),
    deleteNotification: run(prepareDeleteNotification),
    eraseAudit: run(prepareEraseAudit),
    exportAudit: run(prepareExportAudit),
    sweepAudit: run(prepareSweepAudit),
    health: run(prepareHealth),
  });
}
