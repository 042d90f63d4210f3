import { randomUUID } from "node:crypto";
import { BelfryError, type CreatedItem, type Logger, type Notification } from "@belfry/core";
import type { NewBroadcast, NewNotification, NewSend, SendCreated } from "@belfry/core/storage";
import { entryOfSend } from "@belfry/storage-sql";
import { prepareWriteBroadcast } from "../audiences/write-broadcast.ts";
import { CommitWatch } from "../database/commit-watch.ts";
import {
  type Connection,
  clientOf,
  type IdentityCheck,
  poolOf,
  requireReadableValues,
  type Session,
  session,
  type WatchableClient,
} from "../database/connection.ts";
import { isFailedTransaction, wrapError } from "../database/errors.ts";
import { type RunOptions, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareThrottle } from "../delivery/throttle.ts";
import { createdOf, prepareWriteSendDetails } from "../delivery/write-sends.ts";
import { prepareWriteFanOut } from "../inbox/fan-outs.ts";
import { prepareHasNotification, prepareWriteEntries } from "../inbox/write-items.ts";
import type { Announcements } from "../listen-notify/announcements.ts";

/** The parts that writing through the host's transactions uses. */
export interface HostTransactionsOptions {
  readonly connection: Connection;
  readonly tables: TableNames;
  readonly identity: IdentityCheck;
  readonly run: RunOptions;
  readonly logger: Logger;
  readonly announcements: Announcements;
}

/** A send to be written through a transaction of the host. */
export interface HostSend {
  readonly send: NewSend;
  readonly at: string | null;
  onCommit(created: SendCreated): void;
}

/** An entry to be fanned out after the commit. */
interface HostFanOut {
  readonly entry: NewNotification;
  readonly size: number;
  onCommit(): void;
}

interface HostWrite {
  readonly notification: Notification;
  /** Writes it with all that belongs to it, and answers where its items are. */
  write(tx: Session): Promise<readonly CreatedItem[]>;
  onCommit(items: readonly CreatedItem[]): void;
}

/** The setting ends with the transaction, so a statement that finds it runs inside the transaction that set it. */
const mark = statement<[string]>("mark_transaction", "SELECT set_config('belfry.transaction', $1, true)");

/** Writes through the host's connections, whose transactions the host opens and ends. */
export class HostTransactions {
  readonly #options: HostTransactionsOptions;
  readonly #writeEntries: ReturnType<typeof prepareWriteEntries>;
  readonly #writeSendDetails: ReturnType<typeof prepareWriteSendDetails>;
  readonly #writeFanOut: ReturnType<typeof prepareWriteFanOut>;
  readonly #writeBroadcast: ReturnType<typeof prepareWriteBroadcast>;
  readonly #throttle: ReturnType<typeof prepareThrottle>;
  readonly #hasNotification: ReturnType<typeof prepareHasNotification>;
  readonly #mark = randomUUID();
  readonly #watches = new WeakMap<WatchableClient, CommitWatch>();
  readonly #known = new WeakSet<WatchableClient>();
  /** Handles of drizzle transactions known to be over: their client may have another transaction by now. */
  readonly #finished = new WeakSet<object>();

  constructor(options: HostTransactionsOptions) {
    this.#options = options;
    this.#writeEntries = prepareWriteEntries(options.tables);
    this.#writeSendDetails = prepareWriteSendDetails(options.tables);
    this.#writeFanOut = prepareWriteFanOut(options.tables);
    this.#writeBroadcast = prepareWriteBroadcast(options.tables);
    this.#throttle = prepareThrottle(options.tables);
    this.#hasNotification = prepareHasNotification(options.tables);
  }

  /** Writes `entry` through the open transaction behind `handle` and calls `onCommit` once that has committed. */
  write(handle: unknown, entry: NewNotification, onCommit: (items: readonly CreatedItem[]) => void): Promise<void> {
    return this.#write(handle, { notification: entry.notification, write: (tx) => this.#writeEntry(tx, entry), onCommit });
  }

  /** Does the same for an entry whose items are written later, in parts of `size`. */
  writeFanOut(handle: unknown, { entry, size, onCommit }: HostFanOut): Promise<void> {
    const { notification } = entry;
    const write = async (tx: Session) => {
      if (!(await this.#writeFanOut(tx, entry, { size, mark: this.#mark }))) {
        throw endedMeanwhile();
      }
      return [];
    };
    return this.#write(handle, { notification, write, onCommit: () => onCommit() });
  }

  /** Does the same for a broadcast. */
  writeBroadcast(handle: unknown, broadcast: NewBroadcast, onCommit: () => void): Promise<void> {
    const { notification } = broadcast;
    const write = async (tx: Session) => {
      if (!(await this.#writeBroadcast(tx, broadcast, this.#mark)) && !(await this.#hasNotification(tx, notification))) {
        throw endedMeanwhile();
      }
      return [];
    };
    return this.#write(handle, { notification, write, onCommit: () => onCommit() });
  }

  /** Does the same for a send; `at` null is the database's time. */
  writeSend(handle: unknown, { send, at, onCommit }: HostSend): Promise<void> {
    const { notification } = send;
    let written = send;
    const write = async (tx: Session) => {
      // Before the inboxes, as other creates do.
      written = (await this.#throttle(tx, [send], null)).get(send) ?? send;
      const items = await this.#writeEntry(tx, entryOfSend(send));
      if (!(await this.#writeSendDetails(tx, [written], { at, mark: this.#mark }))) {
        throw endedMeanwhile();
      }
      return items;
    };
    return this.#write(handle, { notification, write, onCommit: (items) => onCommit(createdOf(send, items, { written, isNew: false })) });
  }

  async #writeEntry(tx: Session, entry: NewNotification): Promise<readonly CreatedItem[]> {
    const [items = []] = await this.#writeEntries(tx, [entry], { lockTimeoutMs: null, mark: this.#mark });
    if (items.length === 0 && entry.recipients.length > 0) {
      throw endedMeanwhile();
    }
    return items;
  }

  async #write(handle: unknown, { notification, write, onCommit }: HostWrite): Promise<void> {
    const client = this.#client(handle);
    const { announcements } = this.#options;
    const watch = this.#watches.get(client) ?? new CommitWatch(client, this.#options.logger);
    this.#watches.set(client, watch);
    const tx = session(client, this.#options.run);
    watch.begin();
    try {
      await this.#requireTransaction(client, tx, watch);
      const items = await write(tx);
      watch.add({
        onCommit: () => announcements.telling(() => onCommit(items)),
        onOver: () => this.#finish(handle as object, client),
        isThere: () => this.#hasNotification(this.#options.connection, notification),
      });
      await announcements.add(tx, { notification }, items);
    } catch (error) {
      throw wrapError(error);
    } finally {
      watch.end();
    }
  }

  #client(handle: unknown): WatchableClient {
    const client = clientOf(handle);
    if (client === null) {
      throw wrongTransaction(poolOf(handle) ? "is a pool or a database, not one connection" : "is no such handle");
    }
    if (this.#finished.has(handle as object)) {
      throw wrongTransaction("is over");
    }
    return client;
  }

  async #requireTransaction(client: WatchableClient, tx: Session, watch: CommitWatch): Promise<void> {
    try {
      await tx.rows(mark, [this.#mark]);
    } catch (error) {
      if (isFailedTransaction(error)) {
        throw wrongTransaction("has failed, so that PostgreSQL ignores what it is told before a rollback", error);
      }
      throw error;
    }
    if (watch.status !== "T") {
      throw wrongTransaction("is not open: its connection is in no transaction");
    }
    if (!this.#known.has(client)) {
      const { identity } = this.#options;
      if ((await identity.of(tx)) !== identity.own) {
        throw wrongTransaction("is one of another database than the storage's");
      }
      await requireReadableValues(tx);
      this.#known.add(client);
    }
  }

  #finish(handle: object, client: WatchableClient): void {
    // A client can have another transaction later; the handle of a drizzle transaction cannot.
    if (handle !== client) {
      this.#finished.add(handle);
    }
  }
}

function endedMeanwhile(): BelfryError {
  return wrongTransaction("ended while the notification was being written; await the write before you commit");
}

function wrongTransaction(fact: string, cause?: unknown): BelfryError {
  return new BelfryError(
    "WRONG_TRANSACTION",
    `The transaction ${fact}. Pass a client of pg's JavaScript driver after its BEGIN, or the tx of a drizzle transaction over node-postgres, ` +
      "while the transaction is open.",
    { cause },
  );
}
