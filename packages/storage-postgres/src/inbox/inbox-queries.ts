import type { TableNames } from "../database/table-names.ts";
import { prepareAbsence } from "./absence.ts";
import { prepareCounts } from "./counts.ts";
import { prepareCreateFanOut } from "./create-fan-out.ts";
import { prepareCreateMany } from "./create-many.ts";
import { prepareFanOutNext } from "./fan-out-next.ts";
import { prepareGet } from "./get.ts";
import { prepareList } from "./list.ts";
import { prepareListAfter } from "./list-after.ts";
import { prepareListTenant } from "./list-tenant.ts";
import { prepareMarkAllRead } from "./mark-all-read.ts";
import { prepareMarkRead } from "./mark-read.ts";
import { preparePositions } from "./positions.ts";
import { prepareRemove } from "./remove.ts";
import { prepareRemoveRead } from "./remove-read.ts";
import { prepareRenewEpochs } from "./renew-epochs.ts";

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
