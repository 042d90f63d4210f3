import type { Database } from "better-sqlite3";
import { queryContext } from "../database/query-context.ts";
import { prepareAbsence } from "./absence.ts";
import { prepareCounts } from "./counts.ts";
import { prepareCreateFanOut } from "./create-fan-out.ts";
import { prepareCreateMany } from "./create-many.ts";
import { prepareFanOutNext, prepareHasFanOut } from "./fan-out-next.ts";
import { prepareGet } from "./get.ts";
import { prepareHasNotification } from "./has-notification.ts";
import { prepareList } from "./list.ts";
import { prepareListAfter } from "./list-after.ts";
import { prepareListTenant } from "./list-tenant.ts";
import { prepareMarkAllRead } from "./mark-all-read.ts";
import { prepareMarkRead } from "./mark-read.ts";
import { preparePositions } from "./positions.ts";
import { prepareRemove } from "./remove.ts";
import { prepareRemoveRead } from "./remove-read.ts";
import { prepareRenewEpochs } from "./renew-epochs.ts";

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
