import type { InboxStorage } from "@belfry/core/storage";
import type { HostTransactions } from "../creating/host-transactions.ts";
import { type Bound, bind, inTransaction, run } from "../database/bind.ts";
import type { PostgresTransaction } from "../database/database-handle.ts";
import { prepareAbsence } from "./absence.ts";
import { prepareCounts } from "./counts.ts";
import { prepareCreateFanOut } from "./create-fan-out.ts";
import { prepareCreateMany } from "./create-many.ts";
import { prepareErase } from "./erase.ts";
import { prepareExport } from "./export.ts";
import { prepareFanOutNext } from "./fan-out-next.ts";
import { prepareGet } from "./get.ts";
import { prepareList } from "./list.ts";
import { prepareListAfter } from "./list-after.ts";
import { prepareListTenant } from "./list-tenant.ts";
import { prepareMarkAllRead } from "./mark-all-read.ts";
import { prepareMarkRead } from "./mark-read.ts";
import { prepareMarkUnread } from "./mark-unread.ts";
import { preparePositions } from "./positions.ts";
import { prepareRemove } from "./remove.ts";
import { prepareRemoveRead } from "./remove-read.ts";
import { prepareRenewEpochs } from "./renew-epochs.ts";
import { prepareSweep } from "./sweep.ts";

/** Inboxes in PostgreSQL. */
export function postgresInbox(bound: Bound, hostTransactions: () => HostTransactions): InboxStorage<PostgresTransaction, Promise<void>> {
  return {
    ...bind(bound, {
      createMany: run(prepareCreateMany),
      createFanOut: run(prepareCreateFanOut),
      fanOutNext: run(prepareFanOutNext),
      list: run(prepareList),
      listAfter: run(prepareListAfter),
      listTenant: run(prepareListTenant),
      get: run(prepareGet),
      absence: run(prepareAbsence),
      counts: run(prepareCounts),
      positions: run(preparePositions),
      markRead: run(prepareMarkRead),
      markUnread: run(prepareMarkUnread),
      markAllRead: run(prepareMarkAllRead),
      remove: run(prepareRemove),
      removeRead: run(prepareRemoveRead),
      renewEpochs: run(prepareRenewEpochs),
      erase: inTransaction(prepareErase),
      export: run(prepareExport),
      sweep: inTransaction(prepareSweep),
    }),
    createWithin: async (tx, entry, onCommit) => hostTransactions().write(tx, entry, onCommit),
  };
}
