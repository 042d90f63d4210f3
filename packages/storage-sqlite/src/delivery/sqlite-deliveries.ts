import type { DeliveryStorage, NewSend, SendCreated } from "@belfry/core/storage";
import { findingFanOuts, reconsidering, type Sql, sendReads, splittingByDevice, takingAddresses } from "@belfry/storage-sql";
import type { HostTransactions } from "../creating/host-transactions.ts";
import { bind, type Current, part, read, step, write, writeIf, writeTogether } from "../database/bind.ts";
import type { SqliteTransaction } from "../database/host-database.ts";
import { namedLeases } from "../database/leases.ts";
import { preparePlaceItems, prepareUpdateSend } from "./change-send.ts";
import { DELIVERY_LEASES } from "./claim.ts";
import { prepareComplete } from "./complete.ts";
import { prepareEndFanOut, preparePutOffPart, prepareTakePart, prepareWritePart } from "./fan-outs.ts";
import { prepareHasItemUpdates, prepareNoteUpdates } from "./item-updates.ts";
import { prepareDeliveriesOf, prepareHasChains } from "./read-sends.ts";
import { prepareErase, prepareExport, prepareSweep } from "./retention.ts";
import { prepareSettle } from "./settle.ts";
import { prepareCreateSends, storeLists } from "./write-sends.ts";

const NO_LISTS: ReadonlyMap<NewSend, number> = new Map();

/** Deliveries in SQLite. */
export function sqliteDeliveries(
  current: Current<{ readonly hostTransactions: HostTransactions }>,
  sql: Sql,
): DeliveryStorage<SqliteTransaction, void> {
  const createSends = async (sends: readonly NewSend[], at: Date): Promise<readonly SendCreated[]> => {
    const { connection } = current();
    const hasFanOut = sends.some(({ fanOut }) => fanOut !== undefined);
    const written = hasFanOut ? await storeLists(connection, sends, at) : { sends, lists: NO_LISTS };
    return connection.write(() => connection.prepared(prepareCreateSends)(written, at));
  };
  return {
    ...sendReads(sql),
    ...reconsidering(sql),
    ...findingFanOuts(sql),
    ...takingAddresses(sql),
    ...splittingByDevice(sql),
    leases: namedLeases(current, DELIVERY_LEASES),
    ...bind(current, {
      takePart: read(prepareTakePart),
      putOffPart: write(preparePutOffPart),
      writePart: part(prepareWritePart),
      endFanOut: write(prepareEndFanOut),
      placeItems: write(preparePlaceItems),
      deliveriesOf: read(prepareDeliveriesOf),
      updateSend: write(prepareUpdateSend),
      noteUpdates: writeIf(prepareHasItemUpdates, prepareNoteUpdates, false),
      // Usually nothing is due, and no delivery waits for an item that was read.
      settle: writeIf(prepareHasChains, prepareSettle, undefined),
      complete: writeTogether(prepareComplete),
      erase: step(prepareErase),
      export: read(prepareExport),
      sweep: step(prepareSweep),
    }),
    createSends,
    // Nobody holds single rows.
    createFreeSends: createSends,
    createSendWithin: (tx, send, onCommit) => current().hostTransactions.writeSend(tx, send, onCommit),
  };
}
