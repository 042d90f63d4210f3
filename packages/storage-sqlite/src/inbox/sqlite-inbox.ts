import type { CreatedItem, InboxCounts, InboxItem, InboxPosition, ItemRef, Owner } from "@belfry/core";
import type {
  FanOutChunk,
  InboxPage,
  InboxQuery,
  InboxStorage,
  InboxSweep,
  InboxTail,
  ItemAbsence,
  ItemsChange,
  NewNotification,
} from "@belfry/core/storage";
import type { HostTransactions } from "../creating/host-transactions.ts";
import type { CommitWatch } from "../database/commit-watch.ts";
import type { Connection } from "../database/connection.ts";
import type { SqliteTransaction } from "../database/database-handle.ts";
import { fanOutChunks } from "./fan-out-chunks.ts";
import type { InboxQueries } from "./inbox-queries.ts";

/** What an inbox works with while its storage is open. */
export interface OpenInbox {
  readonly connection: Connection;
  readonly queries: InboxQueries;
  readonly hostTransactions: HostTransactions;
  readonly commits: CommitWatch;
}

/** Inboxes in SQLite: gives every operation its transaction. */
export class SqliteInbox implements InboxStorage<SqliteTransaction, void> {
  readonly #current: () => OpenInbox;

  /** @param current what is open at this moment; throws if nothing is */
  constructor(current: () => OpenInbox) {
    this.#current = current;
  }

  /** SQLite has a single writer, so no inbox is ever busy while others are not: `skipBusy` skips nothing. */
  async createMany(entries: readonly NewNotification[]): Promise<readonly (readonly CreatedItem[])[]> {
    const { connection, queries } = this.#current();
    return connection.write(() => queries.createMany(entries));
  }

  createWithin(tx: SqliteTransaction, entry: NewNotification, onCommit: (items: readonly CreatedItem[]) => void): void {
    const { hostTransactions, commits } = this.#current();
    const transaction = hostTransactions.resolve(tx);
    const { items, isNew } = transaction.write(entry);
    commits.add({
      notification: entry.notification,
      isNew,
      host: transaction.database,
      onCommit: () => onCommit(items),
      onOver: () => transaction.finish(),
    });
  }

  async createFanOut({ notification, recipients }: NewNotification, chunkSize: number): Promise<void> {
    const { connection, queries } = this.#current();
    const chunks = await fanOutChunks(recipients, chunkSize);
    return connection.write(() => queries.createFanOut(notification, chunks));
  }

  async fanOutNext(at: Date): Promise<FanOutChunk | null> {
    const { connection, queries } = this.#current();
    if (!(await connection.query(queries.hasFanOut))) {
      return null;
    }
    return connection.write(() => queries.fanOutNext(at));
  }

  async list(owner: Owner, query: InboxQuery): Promise<InboxPage> {
    const { connection, queries } = this.#current();
    return connection.read(() => queries.list(owner, query));
  }

  async listAfter(owner: Owner, seq: number, limit: number): Promise<InboxTail> {
    const { connection, queries } = this.#current();
    return connection.read(() => queries.listAfter(owner, { seq, limit }));
  }

  async listTenant(tenant: string, limit: number): Promise<readonly InboxItem[]> {
    const { connection, queries } = this.#current();
    return connection.read(() => queries.listTenant(tenant, limit));
  }

  async get(owner: Owner, ref: ItemRef, options: { readonly includeDeleted?: boolean } = {}): Promise<InboxItem | null> {
    const { connection, queries } = this.#current();
    return connection.read(() => queries.get(owner, { ref, includeDeleted: options.includeDeleted ?? false }));
  }

  async absence(owner: Owner, ref: ItemRef): Promise<ItemAbsence> {
    const { connection, queries } = this.#current();
    return connection.read(() => queries.absence(owner, ref));
  }

  async counts(owner: Owner): Promise<InboxCounts> {
    const { connection, queries } = this.#current();
    return connection.query(() => queries.counts(owner));
  }

  async positions(owners: readonly Owner[]): Promise<readonly InboxPosition[]> {
    const { connection, queries } = this.#current();
    return connection.read(() => queries.positions(owners));
  }

  async markRead(owner: Owner, refs: readonly ItemRef[], at: Date): Promise<ItemsChange> {
    const { connection, queries } = this.#current();
    return connection.write(() => queries.markRead(owner, { refs, at }));
  }

  async markAllRead(owner: Owner, at: Date): Promise<InboxSweep> {
    const { connection, queries } = this.#current();
    return connection.write(() => queries.markAllRead(owner, at));
  }

  async remove(owner: Owner, refs: readonly ItemRef[], at: Date): Promise<ItemsChange> {
    const { connection, queries } = this.#current();
    return connection.write(() => queries.remove(owner, { refs, at }));
  }

  async removeRead(owner: Owner, at: Date): Promise<InboxSweep> {
    const { connection, queries } = this.#current();
    return connection.write(() => queries.removeRead(owner, at));
  }

  async renewEpochs(): Promise<void> {
    const { connection, queries } = this.#current();
    return connection.write(() => queries.renewEpochs());
  }
}
