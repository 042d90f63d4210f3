import { BelfryError, type CreatedItem, type Notification } from "@belfry/core";
import type { NewBroadcast, NewNotification, NewSend, SendCreated } from "@belfry/core/storage";
import type { Database } from "better-sqlite3";
import { prepareWriteBroadcast } from "../audiences/write-broadcast.ts";
import type { CommitWatch } from "../database/commit-watch.ts";
import { wrapError } from "../database/errors.ts";
import { databaseOf } from "../database/host-database.ts";
import { isSameDatabase, overwriteDeleted } from "../database/open-database.ts";
import { queryContext } from "../database/statement.ts";
import { prepareWriteSend } from "../delivery/write-sends.ts";
import { prepareWriteFanOut } from "../inbox/fan-outs.ts";
import { prepareWriteEntry } from "../inbox/write-items.ts";

/** The result of a write in the host's transaction. */
interface Written {
  /** False if nothing was written. */
  readonly isNew: boolean;
  onCommit(): void;
}

/** Writes through the host's connections to a storage's database, whose transactions the host opens and ends. */
export class HostTransactions {
  readonly #own: Database;
  readonly #commits: CommitWatch;
  /** Statements belong to a connection, and go with it. */
  readonly #writers = new WeakMap<Database, ReturnType<typeof hostWriter>>();
  /** Handles of drizzle transactions known to be over; they look the same as open ones. */
  readonly #finished = new WeakSet<object>();

  /** @param own the storage's connection */
  constructor(own: Database, commits: CommitWatch) {
    this.#own = own;
    this.#commits = commits;
  }

  /**
   * Writes `entry` through the open transaction behind `handle` and calls `onCommit` once that has committed. If the write
   * fails, nothing of it stays in the transaction. Throws `WRONG_TRANSACTION` if there is none on the storage's database.
   */
  write(handle: unknown, entry: NewNotification, onCommit: (items: readonly CreatedItem[]) => void): void {
    this.#write(handle, entry.notification, (writer) => {
      const { items, isNew } = writer.write(entry);
      return { isNew, onCommit: () => onCommit(items) };
    });
  }

  /** Does the same for an entry whose items are written later, in parts of `size`. */
  writeFanOut(
    handle: unknown,
    { entry, size, onCommit }: { readonly entry: NewNotification; readonly size: number; onCommit(): void },
  ): void {
    this.#write(handle, entry.notification, (writer) => ({ isNew: writer.writeFanOut(entry, size), onCommit }));
  }

  /** Does the same for a broadcast. */
  writeBroadcast(handle: unknown, broadcast: NewBroadcast, onCommit: () => void): void {
    this.#write(handle, broadcast.notification, (writer) => ({ isNew: writer.writeBroadcast(broadcast), onCommit }));
  }

  /** Does the same for a send. */
  writeSend(handle: unknown, send: NewSend, onCommit: (created: SendCreated) => void): void {
    this.#write(handle, send.notification, (writer) => {
      const { created, isNew } = writer.writeSend(send);
      return { isNew, onCommit: () => onCommit(created) };
    });
  }

  #write(handle: unknown, notification: Notification, write: (writer: ReturnType<typeof hostWriter>) => Written): void {
    const database = this.#databaseOf(handle);
    const { isNew, onCommit } = write(this.#writers.get(database) ?? this.#prepare(database));
    const onOver = () => {
      // A database can have another transaction later; the handle of a drizzle transaction cannot.
      if (handle !== database && !("$client" in (handle as object))) {
        this.#finished.add(handle as object);
      }
    };
    this.#commits.add({ notification, isNew, host: database, onCommit, onOver });
  }

  #databaseOf(handle: unknown): Database {
    const database = databaseOf(handle);
    if (database === null) {
      throw wrongTransaction(`is ${typeof handle === "object" ? "no such handle" : `a ${typeof handle}`}`);
    }
    if (!database.open) {
      throw wrongTransaction(`is a connection to ${database.name} that is closed`);
    }
    if (!database.inTransaction || this.#finished.has(handle as object)) {
      throw wrongTransaction(`has no transaction open on ${database.name}; after an await, a synchronous transaction is over`);
    }
    return database;
  }

  #prepare(database: Database): ReturnType<typeof hostWriter> {
    if (!isSameDatabase(this.#own, database)) {
      throw wrongTransaction(`is of the database ${database.name}, not of ${this.#own.name}, where Belfry's tables are`);
    }
    const writer = hostWriter(database);
    this.#writers.set(database, writer);
    return writer;
  }
}

/** Writes through one connection of the host, each time within a savepoint. */
function hostWriter(database: Database) {
  overwriteDeleted(database);
  const context = queryContext(database);
  const [writeEntry, writeSend, writeFanOut] = [prepareWriteEntry(context), prepareWriteSend(context), prepareWriteFanOut(context)];
  const writeBroadcast = prepareWriteBroadcast(context);
  const savepoint = database.prepare("SAVEPOINT belfry_write");
  const release = database.prepare("RELEASE belfry_write");
  const rollbackTo = database.prepare("ROLLBACK TO belfry_write");
  const within = <Result>(work: () => Result): Result => {
    try {
      savepoint.run();
      try {
        return work();
      } catch (error) {
        // After some errors, such as a full disk, SQLite has rolled back the whole transaction by itself.
        if (database.inTransaction) {
          rollbackTo.run();
        }
        throw error;
      } finally {
        if (database.inTransaction) {
          release.run();
        }
      }
    } catch (error) {
      throw wrapError(error);
    }
  };
  return {
    write: (entry: NewNotification) => within(() => writeEntry(entry)),
    writeFanOut: (entry: NewNotification, size: number) => within(() => writeFanOut(entry, size)),
    writeBroadcast: (broadcast: NewBroadcast) => within(() => writeBroadcast(broadcast)),
    writeSend: (send: NewSend) => within(() => writeSend(send, send.notification.createdAt)),
  };
}

function wrongTransaction(fact: string): BelfryError {
  return new BelfryError(
    "WRONG_TRANSACTION",
    `The transaction handle ${fact}. Pass a better-sqlite3 database with a transaction open on it, or the tx of a drizzle transaction over one, ` +
      "and write before the transaction's function returns.",
  );
}
