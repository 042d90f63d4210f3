import type { Database } from "better-sqlite3";
import type { Connection } from "./connection.ts";
import { prepareAuditOf } from "./queries/activity/audit-of.ts";
import { prepareAttemptGroups, prepareAttemptPlace, prepareDuePlace, preparePendingGroups } from "./queries/activity/health.ts";
import { prepareCountItems, prepareItemsOf } from "./queries/activity/items-of.ts";
import { prepareFindActivity, prepareSummary } from "./queries/activity/summaries.ts";
import { prepareWalk } from "./queries/activity/walk.ts";
import { prepareWays } from "./queries/activity/ways.ts";
import { prepareWriteAudit } from "./queries/deliveries/audit-log.ts";
import { queryContext } from "./query-context.ts";

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
