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
import type { Connection } from "../database/connection.ts";
import type { PostgresTransaction } from "../database/database-handle.ts";
import { wrapError } from "../database/errors.ts";
import type { InboxQueries } from "./inbox-queries.ts";

/** What an inbox works with while its storage is open. */
export interface OpenInbox {
  readonly connection: Connection;
  readonly queries: InboxQueries;
  readonly hostTransactions: HostTransactions;
}

/** Inboxes in PostgreSQL. */
export class PostgresInbox implements InboxStorage<PostgresTransaction, Promise<void>> {
  readonly #current: () => OpenInbox;

  /** @param current what is open at this moment; throws if nothing is */
  constructor(current: () => OpenInbox) {
    this.#current = current;
  }

  /**
   * With `skipBusy`, a held inbox is given 20 ms to become free, since most are held by another batch that is about to
   * commit. Without it, 20 s.
   */
  createMany(
    entries: readonly NewNotification[],
    { skipBusy = false }: { readonly skipBusy?: boolean } = {},
  ): Promise<readonly (readonly CreatedItem[] | null)[]> {
    return this.#run((connection, queries) => queries.createMany(connection, entries, skipBusy));
  }

  async createWithin(tx: PostgresTransaction, entry: NewNotification, onCommit: (items: readonly CreatedItem[]) => void): Promise<void> {
    await this.#current().hostTransactions.write(tx, entry, onCommit);
  }

  createFanOut(entry: NewNotification, chunkSize: number): Promise<void> {
    return this.#run((connection, queries) => queries.createFanOut(connection, entry, chunkSize));
  }

  fanOutNext(at: Date): Promise<FanOutChunk | null> {
    return this.#run((connection, queries) => queries.fanOutNext(connection, at));
  }

  list(owner: Owner, query: InboxQuery): Promise<InboxPage> {
    return this.#run((connection, queries) => queries.list(connection, owner, query));
  }

  listAfter(owner: Owner, seq: number, limit: number): Promise<InboxTail> {
    return this.#run((connection, queries) => queries.listAfter(connection, owner, { seq, limit }));
  }

  listTenant(tenant: string, limit: number): Promise<readonly InboxItem[]> {
    return this.#run((connection, queries) => queries.listTenant(connection, tenant, limit));
  }

  get(owner: Owner, ref: ItemRef, { includeDeleted = false }: { readonly includeDeleted?: boolean } = {}): Promise<InboxItem | null> {
    return this.#run((connection, queries) => queries.get(connection, owner, { ref, includeDeleted }));
  }

  absence(owner: Owner, ref: ItemRef): Promise<ItemAbsence> {
    return this.#run((connection, queries) => queries.absence(connection, owner, ref));
  }

  counts(owner: Owner): Promise<InboxCounts> {
    return this.#run((connection, queries) => queries.counts(connection, owner));
  }

  positions(owners: readonly Owner[]): Promise<readonly InboxPosition[]> {
    return this.#run((connection, queries) => queries.positions(connection, owners));
  }

  markRead(owner: Owner, refs: readonly ItemRef[], at: Date): Promise<ItemsChange> {
    return this.#run((connection, queries) => queries.markRead(connection, owner, { refs, at }));
  }

  markAllRead(owner: Owner, at: Date): Promise<InboxSweep> {
    return this.#run((connection, queries) => queries.markAllRead(connection, owner, at));
  }

  remove(owner: Owner, refs: readonly ItemRef[], at: Date): Promise<ItemsChange> {
    return this.#run((connection, queries) => queries.remove(connection, owner, { refs, at }));
  }

  removeRead(owner: Owner, at: Date): Promise<InboxSweep> {
    return this.#run((connection, queries) => queries.removeRead(connection, owner, at));
  }

  renewEpochs(): Promise<void> {
    return this.#run((connection, queries) => queries.renewEpochs(connection));
  }

  async #run<Result>(work: (connection: Connection, queries: InboxQueries) => Promise<Result>): Promise<Result> {
    const { connection, queries } = this.#current();
    try {
      return await connection.retryingConflicts(() => work(connection, queries));
    } catch (error) {
      throw wrapError(error);
    }
  }
}
