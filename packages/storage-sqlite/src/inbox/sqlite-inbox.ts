import type { FanOutChunk, InboxStorage, NewNotification } from "@belfry/core/storage";
import type { HostTransactions } from "../creating/host-transactions.ts";
import { bind, query, read, write } from "../database/bind.ts";
import type { CommitWatch } from "../database/commit-watch.ts";
import type { Connection, SqliteTransaction } from "../database/connection.ts";
import { cutIntoChunks, prepareCreateFanOut, prepareFanOutNext, prepareHasFanOut } from "./fan-outs.ts";
import { prepareRenewEpochs } from "./inbox-state.ts";
import { prepareCounts, prepareGet, prepareList, prepareListAfter, prepareListTenant, preparePositions } from "./list.ts";
import { prepareAbsence, prepareMarkAllRead, prepareMarkRead, prepareMarkUnread } from "./mark.ts";
import { prepareRemove, prepareRemoveRead } from "./remove.ts";
import { prepareErase, prepareExport, prepareSweep } from "./retention.ts";
import { prepareCreateMany } from "./write-items.ts";

/** The parts that an inbox uses while its storage is open. */
export interface OpenInbox {
  readonly connection: Connection;
  readonly hostTransactions: HostTransactions;
  readonly commits: CommitWatch;
}

/**
 * Inboxes in SQLite.
 *
 * @param current what is open at this moment; throws if nothing is
 */
export function sqliteInbox(current: () => OpenInbox): InboxStorage<SqliteTransaction, void> {
  return {
    ...bind(current, {
      // SQLite has a single writer, so no inbox is ever busy while others are not: `skipBusy` skips nothing.
      createMany: write(prepareCreateMany),
      list: read(prepareList),
      listAfter: read(prepareListAfter),
      listTenant: read(prepareListTenant),
      get: read(prepareGet),
      absence: read(prepareAbsence),
      counts: query(prepareCounts),
      positions: read(preparePositions),
      markRead: write(prepareMarkRead),
      markUnread: write(prepareMarkUnread),
      markAllRead: write(prepareMarkAllRead),
      remove: write(prepareRemove),
      removeRead: write(prepareRemoveRead),
      renewEpochs: write(prepareRenewEpochs),
      erase: write(prepareErase),
      export: read(prepareExport),
      sweep: write(prepareSweep),
    }),

    createWithin(tx, entry, onCommit) {
      const { hostTransactions, commits } = current();
      const transaction = hostTransactions.resolve(tx);
      const { items, isNew } = transaction.write(entry);
      commits.add({
        notification: entry.notification,
        isNew,
        host: transaction.database,
        onCommit: () => onCommit(items),
        onOver: () => transaction.finish(),
      });
    },

    async createFanOut({ notification, recipients }: NewNotification, chunkSize: number): Promise<void> {
      const { connection } = current();
      const chunks = await cutIntoChunks(recipients, chunkSize);
      return connection.write(() => connection.prepared(prepareCreateFanOut)(notification, chunks));
    },

    async fanOutNext(at: Date): Promise<FanOutChunk | null> {
      const { connection } = current();
      // Most of the time no chunk is left: that is learned without a transaction.
      const isAnyLeft = await connection.query(() => connection.prepared(prepareHasFanOut)());
      return isAnyLeft ? connection.write(() => connection.prepared(prepareFanOutNext)(at)) : null;
    },
  };
}
