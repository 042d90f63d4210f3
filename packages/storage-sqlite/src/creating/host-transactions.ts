import { BelfryError } from "@belfry/core";
import type { NewNotification, NewSend } from "@belfry/core/storage";
import type { Database, Statement as DriverStatement } from "better-sqlite3";
import { databaseOf } from "../database/connection.ts";
import { wrapError } from "../database/errors.ts";
import { isSameDatabase, overwriteDeleted } from "../database/open-database.ts";
import { queryContext } from "../database/statement.ts";
import { prepareWriteSend, type WrittenSend } from "../delivery/write-sends.ts";
import { prepareWriteEntry, type WrittenEntry } from "../inbox/write-items.ts";

/** An open transaction of the host. */
export interface HostTransaction {
  readonly database: Database;
  /** Writes an entry; if that fails, nothing of the entry stays in the host's transaction. */
  write(entry: NewNotification): WrittenEntry;
  /** Writes a send, likewise. */
  writeSend(send: NewSend): WrittenSend;
  /** Refuses the handle from now on: its transaction is over. */
  finish(): void;
}

/** Writes through the host's connections to a storage's database, whose transactions the host opens and ends. */
export class HostTransactions {
  readonly #own: Database;
  /** Statements belong to a connection, and go with it. */
  readonly #writers = new WeakMap<Database, HostWriter>();
  /** Handles of drizzle transactions known to be over; they look the same as open ones. */
  readonly #finished = new WeakSet<object>();

  /** @param own the storage's connection */
  constructor(own: Database) {
    this.#own = own;
  }

  /** The open transaction behind `handle`; throws `WRONG_TRANSACTION` if there is none on the storage's database. */
  resolve(handle: unknown): HostTransaction {
    const database = databaseOf(handle);
    if (database === null) {
      throw wrongTransaction(`is ${typeof handle === "object" ? "no such handle" : `a ${typeof handle}`}`);
    }
    const key = handle as object;
    if (!database.open) {
      throw wrongTransaction(`is a connection to ${database.name} that is closed`);
    }
    if (!database.inTransaction || this.#finished.has(key)) {
      throw wrongTransaction(`has no transaction open on ${database.name}; after an await, a synchronous transaction is over`);
    }
    const writer = this.#writers.get(database) ?? this.#prepare(database);
    return {
      database,
      write: (entry) => writer.write(entry),
      writeSend: (send) => writer.writeSend(send),
      finish: () => {
        // A database can have another transaction later; the handle of a drizzle transaction cannot.
        if (key !== database && !("$client" in key)) {
          this.#finished.add(key);
        }
      },
    };
  }

  #prepare(database: Database): HostWriter {
    if (!isSameDatabase(this.#own, database)) {
      throw wrongTransaction(`is of the database ${database.name}, not of ${this.#own.name}, where Belfry's tables are`);
    }
    const writer = new HostWriter(database);
    this.#writers.set(database, writer);
    return writer;
  }
}

/** Writes entries through one connection of the host. */
class HostWriter {
  readonly #database: Database;
  readonly #writeEntry: ReturnType<typeof prepareWriteEntry>;
  readonly #writeSend: ReturnType<typeof prepareWriteSend>;
  readonly #savepoint: DriverStatement;
  readonly #release: DriverStatement;
  readonly #rollbackTo: DriverStatement;

  constructor(database: Database) {
    this.#database = database;
    overwriteDeleted(database);
    const context = queryContext(database);
    this.#writeEntry = prepareWriteEntry(context);
    this.#writeSend = prepareWriteSend(context);
    this.#savepoint = database.prepare("SAVEPOINT belfry_write");
    this.#release = database.prepare("RELEASE belfry_write");
    this.#rollbackTo = database.prepare("ROLLBACK TO belfry_write");
  }

  write(entry: NewNotification): WrittenEntry {
    return this.#within(() => this.#writeEntry(entry));
  }

  writeSend(send: NewSend): WrittenSend {
    return this.#within(() => this.#writeSend(send, send.notification.createdAt));
  }

  #within<Result>(work: () => Result): Result {
    try {
      this.#savepoint.run();
      try {
        return work();
      } catch (error) {
        // After some errors, a full disk for one, SQLite has rolled the whole transaction back by itself.
        if (this.#database.inTransaction) {
          this.#rollbackTo.run();
        }
        throw error;
      } finally {
        if (this.#database.inTransaction) {
          this.#release.run();
        }
      }
    } catch (error) {
      throw wrapError(error);
    }
  }
}

function wrongTransaction(fact: string): BelfryError {
  return new BelfryError(
    "WRONG_TRANSACTION",
    `The transaction handle ${fact}. Pass a better-sqlite3 database with a transaction open on it, or the tx of a drizzle transaction over one, ` +
      "and write before the transaction's function returns.",
  );
}
