import type { DeliveryStorage } from "@belfry/core/storage";
import { findingFanOuts, reconsidering, type Sql, sendReads, splittingByDevice, takingAddresses } from "@belfry/storage-sql";
import type { HostTransactions } from "../creating/host-transactions.ts";
import { type Bound, bind, inStep, inTransaction, run } from "../database/bind.ts";
import type { PostgresTransaction } from "../database/connection.ts";
import { namedLeases } from "../database/leases.ts";
import { preparePlaceItems, prepareUpdateSend } from "./change-send.ts";
import { DELIVERY_LEASES } from "./claim.ts";
import { prepareCreateFreeSends, prepareCreateSends } from "./create-sends.ts";
import { prepareEndFanOut, preparePutOffPart, prepareTakePart, prepareWritePart } from "./fan-outs.ts";
import { prepareNoteUpdates } from "./item-updates.ts";
import { prepareDeliveriesOf } from "./read-sends.ts";
import { prepareErase, prepareExport, prepareSweep } from "./retention.ts";
import { prepareComplete, prepareSettle } from "./settle.ts";

/** Deliveries in PostgreSQL. */
export function postgresDeliveries(
  bound: Bound,
  { sql, hostTransactions }: { readonly sql: Sql; hostTransactions(): HostTransactions },
): DeliveryStorage<PostgresTransaction, Promise<void>> {
  return {
    ...sendReads(sql),
    ...reconsidering(sql),
    ...findingFanOuts(sql),
    ...takingAddresses(sql),
    ...splittingByDevice(sql),
    leases: namedLeases(bound, DELIVERY_LEASES),
    ...bind(bound, {
      createSends: run(prepareCreateSends),
      createFreeSends: run(prepareCreateFreeSends),
      takePart: run(prepareTakePart),
      putOffPart: run(preparePutOffPart),
      writePart: run(prepareWritePart),
      endFanOut: inTransaction(prepareEndFanOut),
      placeItems: run(preparePlaceItems),
      deliveriesOf: run(prepareDeliveriesOf),
      updateSend: inTransaction(prepareUpdateSend),
      noteUpdates: run(prepareNoteUpdates),
      settle: run(prepareSettle),
      complete: run(prepareComplete),
      erase: inStep(prepareErase),
      export: run(prepareExport),
      sweep: run(prepareSweep),
    }),
    async createSendWithin(tx, send, onCommit) {
      await hostTransactions().writeSend(tx, { send, at: bound.time(send.notification.createdAt), onCommit });
    },
  };
}
