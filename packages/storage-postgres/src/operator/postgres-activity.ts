import type { ActivityStorage } from "@belfry/core/storage";
import { type Bound, bind, run } from "../database/bind.ts";
import { prepareNote } from "../delivery/audit-log.ts";
import { prepareAuditOf } from "./audit-of.ts";
import { prepareEraseAudit, prepareExportAudit, prepareSweepAudit } from "./audit-steps.ts";
import { prepareHealth } from "./health.ts";
import { prepareItemsOf } from "./items-of.ts";
import { prepareCount, prepareSearch } from "./search.ts";
import { prepareFindActivity } from "./summaries.ts";

/** What an operator asks of PostgreSQL: each question is a statement or two, each on its own connection. */
export function postgresActivity(bound: Bound): ActivityStorage {
  return bind(bound, {
    search: run(prepareSearch),
    count: run(prepareCount),
    find: run(prepareFindActivity),
    itemsOf: run(prepareItemsOf),
    auditOf: run(prepareAuditOf),
    note: run(prepareNote),
    eraseAudit: run(prepareEraseAudit),
    exportAudit: run(prepareExportAudit),
    sweepAudit: run(prepareSweepAudit),
    health: run(prepareHealth),
  });
}
