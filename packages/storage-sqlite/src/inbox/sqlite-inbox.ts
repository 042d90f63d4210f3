import type { FanOutChunk, FanOutTurn, InboxStorage, NewNotification } from "@belfry/core/storage";
import { CountedLists, type Sql, sharedInbox, usersInParts } from "@belfry/storage-sql";
import type { HostTransactions } from "../creating/host-transactions.ts";
import { bind, type Current, queryNow, read, readInParts, readNow, step, write, writeNow, writeTogether } from "../database/bind.ts";
import { wrapError } from "../database/errors.ts";
import type { SqliteTransaction } from "../database/host-database.ts";
import { Parts } from "../database/parts.ts";
import { prepareApplyDue } from "./apply-due.ts";
import { preparePositions, prepareTally } from "./counts.ts";
import { prepareCreateMany } from "./create-many.ts";
import { prepareCreateFanOut, prepareFanOutNext, prepareHasFanOut, preparePutOffNext, storeList } from "./fan-outs.ts";
import { prepareGroupItems, prepareGroups } from "./groups.ts";
import { prepareCounts, prepareUnread, prepareVersion } from "./inbox-state.ts";
import { prepareKeyedChangeMatching, prepareKeyedMark, prepareKeyedMarkAllRead, prepareKeyedMarkAllSeen } from "./keyed-changes.ts";
import { prepareGet, prepareList, prepareListAfter, prepareListStored, prepareListTenant } from "./list.ts";
import { prepareMarkRead, prepareMarkUnread, prepareRemove } from "./mark.ts";
import { prepareErase, prepareExport, prepareSweep } from "./retention.ts";

/** A chunk of this size blocks the event loop for about 10 ms. */
const FAN_OUT_CHUNK = 1_000;

/** Marks of at most so many items share a transaction with others. */
const MARKED_TOGETHER = 5;

/** Inboxes in SQLite. */
export function sqliteInbox(
  current: Current<{ readonly hostTransactions: HostTransactions }>,
  sql: Sql,
): InboxStorage<SqliteTransaction, void> {
  const lists = new CountedLists();
  const parts = new Parts();
  const fanOutNext = async (at: Date, turn: FanOutTurn = {}): Promise<FanOutChunk | null> => {
    const { connection } = current();
    // Usually no chunk is left.
    if (!(await connection.query(() => connection.prepared(prepareHasFanOut)(at)))) {
      return null;
    }
    try {
      return await connection.write(() => connection.prepared(prepareFanOutNext)(at, turn));
    } catch (error) {
      if (wrapError(error).retryable) {
        throw error;
      }
      if (turn.mayTakeMore) {
        // Alone, each shows whether it is the one that cannot be written.
        return await fanOutNext(at, { ...turn, mayTakeMore: false });
      }
      return await connection.write(() => connection.prepared(preparePutOffNext)(at, turn, error));
    }
  };
  return {
    ...sharedInbox(sql),
    ...bind(current, {
      // SQLite has a single writer, so no inbox is ever busy while others are not: `skipBusy` skips nothing.
      createMany: writeNow(prepareCreateMany),
      list: readInParts(parts, prepareList(lists)),
      listStored: readInParts(parts, prepareListStored(lists)),
      listAfter: read(prepareListAfter),
      listTenant: read(prepareListTenant),
      get: read(prepareGet),
      counts: queryNow(prepareCounts),
      version: queryNow(prepareVersion),
      tally: readNow(prepareTally),
      unread: queryNow(prepareUnread),
      positions: read(preparePositions),
      groups: readNow(prepareGroups),
      groupItems: readNow(prepareGroupItems),
      markRead: write(prepareMarkRead),
      markUnread: write(prepareMarkUnread),
      markAllRead: write(prepareKeyedMarkAllRead),
      mark: writeTogether(prepareKeyedMark, (_, refs) => refs.length <= MARKED_TOGETHER),
      markAllSeen: write(prepareKeyedMarkAllSeen),
      changeMatching: write(prepareKeyedChangeMatching),
      applyDue: write(prepareApplyDue),
      remove: write(prepareRemove),
      erase: step(prepareErase),
      export: read(prepareExport),
      sweep: step(prepareSweep),
    }),
    fanOutChunk: FAN_OUT_CHUNK,
    fanOutNext,
    createWithin: (tx, entry, onCommit) => current().hostTransactions.write(tx, entry, onCommit),
    async createFanOut({ notification, recipients }: NewNotification, chunkSize: number): Promise<void> {
      const { connection } = current();
      const { tenant, createdAt } = notification;
      const parts = usersInParts(recipients, chunkSize);
      const pk = await storeList(connection, { tenant, plan: null, parts }, createdAt);
      return connection.write(() => connection.prepared(prepareCreateFanOut)(notification, pk));
    },
    createFanOutWithin: (tx, entry, onCommit) => current().hostTransactions.writeFanOut(tx, { entry, size: FAN_OUT_CHUNK, onCommit }),
  };
}
