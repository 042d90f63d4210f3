import type { Database } from "better-sqlite3";
import { prepareAbsence } from "./queries/absence.ts";
import { prepareCounts } from "./queries/counts.ts";
import { prepareCreateFanOut } from "./queries/create-fan-out.ts";
import { prepareCreateMany } from "./queries/create-many.ts";
import { prepareFanOutNext, prepareHasFanOut } from "./queries/fan-out-next.ts";
import { prepareGet } from "./queries/get.ts";
import { prepareHasNotification } from "./queries/has-notification.ts";
import { prepareList } from "./queries/list.ts";
import { prepareListAfter } from "./queries/list-after.ts";
import { prepareListTenant } from "./queries/list-tenant.ts";
import { prepareMarkAllRead } from "./queries/mark-all-read.ts";
import { prepareMarkRead } from "./queries/mark-read.ts";
import { preparePositions } from "./queries/positions.ts";
import { prepareRemove } from "./queries/remove.ts";
import { prepareRemoveRead } from "./queries/remove-read.ts";
import { prepareRenewEpochs } from "./queries/renew-epochs.ts";
import { queryContext } from "./query-context.ts";

/** Every operation on inboxes, prepared for one connection. They are synchronous, and open no transaction. */
export type InboxQueries = ReturnType<typeof prepareInboxQueries>;

/** Prepares every operation on inboxes for `database`, whose tables must exist. */
export function prepareInboxQueries(database: Database) {
  const context = queryContext(database);
  return {
    absence: prepareAbsence(context),
    counts: prepareCounts(context),
    createFanOut: prepareCreateFanOut(context),
    createMany: prepareCreateMany(context),
    fanOutNext: prepareFanOutNext(context),
    get: prepareGet(context),
    hasFanOut: prepareHasFanOut(context),
    hasNotification: prepareHasNotification(context),
    list: prepareList(context),
    listAfter: prepareListAfter(context),
    listTenant: prepareListTenant(context),
    markAllRead: prepareMarkAllRead(context),
    markRead: prepareMarkRead(context),
    positions: preparePositions(context),
    remove: prepareRemove(context),
    removeRead: prepareRemoveRead(context),
    renewEpochs: prepareRenewEpochs(context),
  };
}
