import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { BelfryError } from "@belfry/core";
import Database from "better-sqlite3";
import type { Connection } from "./connection.ts";

const NODE_API = 10;
/** The number of `PRAGMA synchronous = EXTRA`, which is more than FULL. */
const EXTRA = 3;

/** Opens the database at `path`, and makes its directory if it is missing. */
export function openDatabase(path: string): Database.Database {
  requireNodeApi(process.versions.napi);
  if (path !== "" && path !== ":memory:" && !path.startsWith("file:")) {
    mkdirSync(dirname(path), { recursive: true });
  }
  // SQLite must not wait: that would block the event loop, and with it the host's transaction that has to end first.
  return new Database(path, { timeout: 0 });
}

/** Checks for Node-API 10 first, because without it better-sqlite3 13 ends the process without a word. */
export function requireNodeApi(version: string | undefined): void {
  if (Number(version ?? 0) >= NODE_API) {
    return;
  }
  throw new BelfryError(
    "CONFIGURATION",
    `better-sqlite3 13 needs Node-API ${NODE_API}, but Node ${process.versions.node} has ${version ?? "none"}. Run Node 22.14 or newer.`,
  );
}

/** Makes a connection overwrite what it deletes: otherwise deleted text stays readable in the file. It costs creates nothing. */
export function overwriteDeleted(database: Database.Database): void {
  database.pragma("secure_delete = ON");
}

/** Sets how a database that Belfry opened keeps its writes. */
export async function configureOwn(connection: Connection, durability: "full" | "normal"): Promise<void> {
  const { database } = connection;
  overwriteDeleted(database);
  // Readers and a writer do not wait for each other. Changing the mode needs the database for a moment.
  await connection.query(() => database.pragma("journal_mode = WAL"));
  // In WAL mode the driver runs NORMAL whatever the pragma first reads, so FULL has to be set.
  await connection.query(() => database.pragma(`synchronous = ${durability === "full" ? "FULL" : "NORMAL"}`));
}

/**
 * Makes the connection that a host passed in keep its writes at least as `durability` promises, and overwrite what it deletes;
 * the rest stays as it is.
 */
export async function configureHosts(connection: Connection, durability: "full" | "normal"): Promise<void> {
  overwriteDeleted(connection.database);
  if (durability === "full") {
    // FULL is set even where the pragma reads FULL: in WAL mode the driver falls back to NORMAL afterwards, unless told.
    await connection.query(() => {
      if (Number(connection.database.pragma("synchronous", { simple: true })) !== EXTRA) {
        connection.database.pragma("synchronous = FULL");
      }
    });
  }
}

/** Whether both connections are to the same database. A database in memory equals only itself. */
export function isSameDatabase(left: Database.Database, right: Database.Database): boolean {
  if (left === right) {
    return true;
  }
  const file = mainFile(left);
  const other = mainFile(right);
  return file !== "" && other !== "" && (file === other || fileIdentity(file) === fileIdentity(other));
}

/** The absolute path of the file behind a connection; empty for a database in memory. */
export function mainFile(database: Database.Database): string {
  const main = database.prepare<[], { file: string }>("SELECT file FROM pragma_database_list WHERE name = 'main'").get();
  return main?.file ?? "";
}

/** Two paths with links in them may lead to one file. */
function fileIdentity(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? path : `${stat.dev}:${stat.ino}`;
}

/**
 * Shows which process works on a database, by a lock on a small file beside it, held while the process lives. The system
 * itself releases it when the process ends in any way, so nothing has to be cleaned up.
 */
export class WorkerLock {
  readonly #path: string;
  #database: Database.Database | null = null;

  /** @param path the database's own file; empty for a database in memory, which has no other process */
  constructor(path: string) {
    this.#path = path;
  }

  /** Takes the lock, unless it has it already. False while another living process, or another storage, holds it. */
  take(): boolean {
    if (this.#path === "" || this.#database !== null) {
      return true;
    }
    const database = new Database(`${this.#path}-belfry-worker`, { timeout: 0 });
    try {
      database.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      database.close();
      if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) {
        return false;
      }
      throw error;
    }
    this.#database = database;
    return true;
  }

  release(): void {
    this.#database?.close();
    this.#database = null;
  }
}
