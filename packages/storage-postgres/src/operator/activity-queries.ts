import type { Connection } from "../database/connection.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareWriteAudit } from "../delivery/audit-log.ts";
import { prepareAuditOf } from "./audit-of.ts";
import { prepareHealth } from "./health.ts";
import { prepareItemsOf } from "./items-of.ts";
import { prepareSearch } from "./search.ts";
import { prepareFindActivity } from "./summaries.ts";

/** What an operator's questions work with while their storage is open. */
export interface OpenActivity {
  readonly connection: Connection;
  readonly activityQueries: ReturnType<typeof prepareActivityQueries>;
}

/** Makes the statements of everything an operator asks; connections prepare them when they first run them. */
export function prepareActivityQueries(tables: TableNames) {
  return {
    ...prepareSearch(tables),
    auditOf: prepareAuditOf(tables),
    find: prepareFindActivity(tables),
    health: prepareHealth(tables),
    itemsOf: prepareItemsOf(tables),
    writeAudit: prepareWriteAudit(tables),
  };
}
