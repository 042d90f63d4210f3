import { existsSync } from "node:fs";
import { BelfryError, type DatabaseFacts, type MigrateInput, type MigrationState, type StorageDatabase } from "@belfry/core";
import type { Migration } from "@belfry/core/storage";
import Database from "better-sqlite3";
import { hasTables, migrateAtOpen, migrateLater, readPlan } from "../migrations/migrate.ts";
import { Connection } from "./connection.ts";
import { wrapError } from "./errors.ts";
import { configureOwn, openDatabase, requireNodeApi } from "./open-database.ts";

/** The parts of a storage that look at its database. */
export interface SqliteDatabaseParts {
  /** A path, or a database of the host. */
  readonly source: string | Database.Database;
  readonly migrations: readonly Migration[];
  readonly durability: "full" | "normal";
  readonly busyTimeoutMs: number;
  /** The storage's own connection while it is open; null otherwise. */
  current(): Connection | null;
}

const MEMORY = ":memory:";
/** Settings of the file. */
const OF_FILE = ["journal_mode", "page_size", "auto_vacuum"] as const;
/** Settings of a connection, which say nothing on one that is there for a look. */
const OF_CONNECTION = ["synchronous"] as const;

/**
 * Looks at a SQLite database: over the storage's own connection while it is open, else over one for the call alone, which writes nothing
 * unless it migrates.
 */
export class SqliteDatabase implements StorageDatabase {
  readonly #parts: SqliteDatabaseParts;

  constructor(parts: SqliteDatabaseParts) {
    this.#parts = parts;
  }

  get place(): string {
    return `sqlite:${this.#path}`;
  }

  inspect(): Promise<DatabaseFacts> {
    return this.#on(openToLook, (connection) => connection.query(() => factsOf(connection.database)));
  }

  async migrations(): Promise<MigrationState> {
    const { source, migrations, current } = this.#parts;
    if (typeof source === "string" && current() === null && (source === MEMORY || !existsSync(source))) {
      const pending = migrations.map(({ phase }, index) => ({ id: index + 1, phase }));
      return { known: migrations.length, newest: 0, hasTables: false, pending };
    }
    return this.#on(openToLook, (connection) =>
      connection.read(() => ({ ...readPlan(connection.database, migrations).state, hasTables: hasTables(connection.database) })),
    );
  }

  async migrate({ cleanup = false }: MigrateInput): Promise<void> {
    const { source, migrations, durability } = this.#parts;
    await this.#on(openDatabase, async (connection) => {
      if (typeof source === "string") {
        await configureOwn(connection, durability);
      }
      await migrateAtOpen(connection, migrations);
      await migrateLater(connection, migrations, cleanup);
    });
  }

  get #path(): string {
    const { source } = this.#parts;
    return typeof source === "string" ? source : source.name;
  }

  /** Runs `work` on the storage's own connection, on the host's database, or on one that `open` opens for it. */
  async #on<Result>(
    open: (path: string) => Database.Database,
    work: (connection: Connection) => Result | Promise<Result>,
  ): Promise<Result> {
    const { source, busyTimeoutMs, current } = this.#parts;
    const lasting = current() ?? (typeof source === "string" ? null : new Connection(source, busyTimeoutMs));
    if (lasting !== null) {
      return await wrapped(() => work(lasting));
    }
    const database = this.#opened(open);
    try {
      return await wrapped(() => work(new Connection(database, busyTimeoutMs, "own")));
    } finally {
      database.close();
    }
  }

  #opened(open: (path: string) => Database.Database): Database.Database {
    const path = this.#path;
    if (path === MEMORY) {
      throw new BelfryError(
        "STORAGE_UNAVAILABLE",
        "A database in memory is there only while its storage is open. Start the service first.",
      );
    }
    try {
      return open(path);
    } catch (error) {
      if (error instanceof BelfryError) {
        throw error;
      }
      const isMissing = open === openToLook && !existsSync(path);
      const reason = isMissing ? "there is no such file" : error instanceof Error ? error.message : String(error);
      const message = `Cannot open the database ${JSON.stringify(path)}: ${reason}. Check the path; a migration makes the file.`;
      throw new BelfryError("STORAGE_UNAVAILABLE", message, { cause: error });
    }
  }
}

async function wrapped<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw wrapError(error);
  }
}

/** Opens a database that is there, for a look. */
function openToLook(path: string): Database.Database {
  requireNodeApi(process.versions.napi);
  return new Database(path, { readonly: true, fileMustExist: true, timeout: 0 });
}

function factsOf(database: Database.Database): DatabaseFacts {
  const names = database.readonly ? OF_FILE : [...OF_FILE, ...OF_CONNECTION];
  return {
    product: "SQLite",
    version: String(database.prepare("SELECT sqlite_version()").pluck().get()),
    now: new Date(),
    settings: Object.fromEntries(names.map((name) => [name, String(database.pragma(name, { simple: true }))])),
  };
}
