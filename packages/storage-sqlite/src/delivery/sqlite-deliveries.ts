import type { DeliveryStorage } from "@belfry/core/storage";
import { type Sql, sendReads } from "@belfry/storage-sql";
import type { HostTransactions } from "../creating/host-transactions.ts";
import { bind, read, write } from "../database/bind.ts";
import type { CommitWatch } from "../database/commit-watch.ts";
import type { Connection, SqliteTransaction } from "../database/connection.ts";
import { leases } from "../database/leases.ts";
import { prepareDeleteSend } from "../operator/delete.ts";
import { preparePlaceItems, prepareUpdateSend } from "./change-send.ts";
import { prepareDeliveriesOf, prepareSelectChains } from "./read-sends.ts";
import { prepareErase, prepareExport, prepareSweep } from "./retention.ts";
import { DELIVERY_LEASES, prepareSettle } from "./settle.ts";
import { prepareCreateSends } from "./write-sends.ts";

/** The parts that deliveries use while their storage is open. */
export interface OpenDeliveries {
  readonly connection: Connection;
  readonly hostTransactions: HostTransactions;
  readonly commits: CommitWatch;
}

/**
 * Deliveries in SQLite.
 *
 * @param current what is open at this moment; throws if nothing is
 */
export function sqliteDeliveries(current: () => OpenDeliveries, sql: Sql): DeliveryStorage<SqliteTransaction, void> {
  return {
    ...sendReads(sql),
    leases: leases(current, DELIVERY_LEASES),
    ...bind(current, {
      createSends: write(prepareCreateSends),
      placeItems: write(preparePlaceItems),
      deliveriesOf: read(prepareDeliveriesOf),
      updateSend: write(prepareUpdateSend),
      deleteSend: write(prepareDeleteSend),
      erase: write(prepareErase),
      export: read(prepareExport),
      sweep: write(prepareSweep),
    }),

    createSendWithin(tx, send, onCommit) {
      const { hostTransactions, commits } = current();
      const transaction = hostTransactions.resolve(tx);
      const { created, isNew } = transaction.writeSend(send);
      commits.add({
        notification: send.notification,
        isNew,
        host: transaction.database,
        onCommit: () => onCommit(created),
        onOver: () => transaction.finish(),
      });
    },

    async settle(selection, at, decide) {
      const { connection } = current();
      const select = () => connection.prepared(prepareSelectChains)(selection, at);
      // Most of the time nothing is due, and nothing that was read waits for it: that is learned without a transaction.
      if ((await connection.query(select)).length > 0) {
        await connection.write(() => connection.prepared(prepareSettle)(select(), at, decide));
      }
    },
  };
}
