import type { DeliveryStorage } from "@belfry/core/storage";
import type { HostTransactions } from "../creating/host-transactions.ts";
import { type Bound, bind, inTransaction, run } from "../database/bind.ts";
import type { PostgresTransaction } from "../database/connection.ts";
import { leases } from "../database/leases.ts";
import { prepareDeleteSend, prepareListAudit, preparePlaceItems, preparePruneKeys, prepareUpdateSend } from "./change-send.ts";
import { prepareCountDeliveries, prepareCountSends, prepareDeliveriesOf, prepareFindSend, prepareListSends } from "./read-sends.ts";
import { prepareErase, prepareExport, prepareSweep } from "./retention.ts";
import { DELIVERY_LEASES, prepareSettle } from "./settle.ts";
import { prepareCreateSends } from "./write-sends.ts";

/** Deliveries in PostgreSQL. */
export function postgresDeliveries(
  bound: Bound,
  hostTransactions: () => HostTransactions,
): DeliveryStorage<PostgresTransaction, Promise<void>> {
  return {
    leases: leases(bound, DELIVERY_LEASES),
    ...bind(bound, {
      createSends: inTransaction(prepareCreateSends),
      placeItems: run(preparePlaceItems),
      findSend: run(prepareFindSend),
      listSends: run(prepareListSends),
      deliveriesOf: run(prepareDeliveriesOf),
      countDeliveries: run(prepareCountDeliveries),
      countSends: run(prepareCountSends),
      listAudit: run(prepareListAudit),
      updateSend: inTransaction(prepareUpdateSend),
      deleteSend: inTransaction(prepareDeleteSend),
      settle: run(prepareSettle),
      pruneIdempotencyKeys: run(preparePruneKeys),
      erase: inTransaction(prepareErase),
      export: run(prepareExport),
      sweep: inTransaction(prepareSweep),
    }),
    async createSendWithin(tx, send, onCommit) {
      await hostTransactions().writeSend(tx, { send, at: bound.time(send.notification.createdAt), onCommit });
    },
  };
}
