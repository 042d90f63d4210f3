import type { Connection } from "./connection.ts";
import { prepareAuditOf } from "./queries/activity/audit-of.ts";
import { prepareHealth } from "./queries/activity/health.ts";
import { prepareItemsOf } from "./queries/activity/items-of.ts";
import { prepareSearch } from "./queries/activity/search.ts";
import { prepareFindActivity } from "./queries/activity/summaries.ts";
import { prepareWriteAudit } from "./queries/deliveries/audit-log.ts";
import type { TableNames } from "./table-names.ts";

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
