import type { Database } from "better-sqlite3";
import type { Connection } from "../database/connection.ts";
import { queryContext } from "../database/query-context.ts";
import { prepareWriteAudit } from "../delivery/audit-log.ts";
import { prepareAuditOf } from "./audit-of.ts";
import { prepareAttemptGroups, prepareAttemptPlace, prepareDuePlace, preparePendingGroups } from "./health.ts";
import { prepareCountItems, prepareItemsOf } from "./items-of.ts";
import { prepareFindActivity, prepareSummary } from "./summaries.ts";
import { prepareWalk } from "./walk.ts";
import { prepareWays } from "./ways.ts";

/** Everything an operator asks, prepared for one connection, in steps that are short. */
type ActivityQueries = ReturnType<typeof prepareActivityQueries>;

/** What an operator's questions work with while their storage is open. */
export interface OpenActivity {
  readonly connection: Connection;
  readonly activityQueries: ActivityQueries;
}

/** Prepares everything an operator asks of `database`, whose tables must exist. */
export function prepareActivityQueries(database: Database) {
  const context = queryContext(database);
  return {
    attemptGroups: prepareAttemptGroups(context),
    attemptPlace: prepareAttemptPlace(context),
    auditOf: prepareAuditOf(context),
    countItems: prepareCountItems(context),
    duePlace: prepareDuePlace(context),
    find: prepareFindActivity(context),
    itemsOf: prepareItemsOf(context),
    pendingGroups: preparePendingGroups(context),
    summary: prepareSummary(context),
    walk: prepareWalk(context),
    ways: prepareWays(context),
    writeAudit: prepareWriteAudit(context),
  };
}
