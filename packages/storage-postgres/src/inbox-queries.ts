import { prepareAbsence } from "./queries/absence.ts";
import { prepareCounts } from "./queries/counts.ts";
import { prepareCreateFanOut } from "./queries/create-fan-out.ts";
import { prepareCreateMany } from "./queries/create-many.ts";
import { prepareFanOutNext } from "./queries/fan-out-next.ts";
import { prepareGet } from "./queries/get.ts";
import { prepareList } from "./queries/list.ts";
import { prepareListAfter } from "./queries/list-after.ts";
import { prepareListTenant } from "./queries/list-tenant.ts";
import { prepareMarkAllRead } from "./queries/mark-all-read.ts";
import { prepareMarkRead } from "./queries/mark-read.ts";
import { preparePositions } from "./queries/positions.ts";
import { prepareRemove } from "./queries/remove.ts";
import { prepareRemoveRead } from "./queries/remove-read.ts";
import { prepareRenewEpochs } from "./queries/renew-epochs.ts";
import type { TableNames } from "./table-names.ts";

/** Every operation of an inbox over the given tables. */
export type InboxQueries = ReturnType<typeof prepareInboxQueries>;

/** Makes the statements of all operations; connections prepare them when they first run them. */
export function prepareInboxQueries(tables: TableNames) {
  return {
    absence: prepareAbsence(tables),
    counts: prepareCounts(tables),
    createFanOut: prepareCreateFanOut(tables),
    createMany: prepareCreateMany(tables),
    fanOutNext: prepareFanOutNext(tables),
    get: prepareGet(tables),
    list: prepareList(tables),
    listAfter: prepareListAfter(tables),
    listTenant: prepareListTenant(tables),
    markAllRead: prepareMarkAllRead(tables),
    markRead: prepareMarkRead(tables),
    positions: preparePositions(tables),
    remove: prepareRemove(tables),
    removeRead: prepareRemoveRead(tables),
    renewEpochs: prepareRenewEpochs(tables),
  };
}
