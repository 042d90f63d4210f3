import type { DeliveryStorage } from "@belfry/core/storage";
import type { HostTransactions } from "../creating/host-transactions.ts";
import { type Bound, bind, inTransaction, run } from "../database/bind.ts";
import type { PostgresTransaction } from "../database/database-handle.ts";
import { prepareListAudit } from "./audit-log.ts";
import { prepareDeleteSend, preparePlaceItems, preparePruneKeys, prepareUpdateSend } from "./change-send.ts";
import { prepareClaim, prepareLeasedTo, prepareNextDue, prepareRenew } from "./claim.ts";
import { prepareCountSends, prepareDeliveriesOf, prepareFindSend, prepareListSends } from "./read-sends.ts";
import { prepareSettle } from "./settle.ts";
import { prepareCreateSends } from "./write-sends.ts";

/** Deliveries in PostgreSQL. */
export function postgresDeliveries(
  bound: Bound,
  hostTransactions: () => HostTransactions,
): DeliveryStorage<PostgresTransaction, Promise<void>> {
  return {
    ...bind(bound, {
      createSends: inTransaction(prepareCreateSends),
      placeItems: run(preparePlaceItems),
      findSend: run(prepareFindSend),
      listSends: run(prepareListSends),
      deliveriesOf: run(prepareDeliveriesOf),
      countSends: run(prepareCountSends),
      listAudit: run(prepareListAudit),
      updateSend: inTransaction(prepareUpdateSend),
      deleteSend: inTransaction(prepareDeleteSend),
      claim: run(prepareClaim),
      leasedTo: run(prepareLeasedTo),
      renew: run(prepareRenew),
      settle: run(prepareSettle),
      nextDueInMs: run(prepareNextDue),
      pruneIdempotencyKeys: run(preparePruneKeys),
    }),
    async createSendWithin(tx, send, onCommit) {
      await hostTransactions().writeSend(tx, { send, at: bound.time(send.notification.createdAt), onCommit });
    },
  };
}
