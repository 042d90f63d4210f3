import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { BelfryError } from "@belfry/core";
import Database from "better-sqlite3";
import type { Connection } from "./connection.ts";

const NODE_API = 10;
/** The number of `PRAGMA synchronous = EXTRA`, which is more than FULL. */
const EXTRA = 3;

/** Opens the database at `path`, whose directory is made if it is not there. */
export function openDatabase(path: string): Database.Database {
  requireNodeApi(process.versions.napi);
  if (path !== "" && path !== ":memory:" && !path.startsWith("file:")) {
    mkdirSync(dirname(path), { recursive: true });
  }
  // No waiting inside SQLite: it would block the event loop, and with it a transaction of the host that has to end first.
  return new Database(path, { timeout: 0 });
}

/** better-sqlite3 13 ends the process without a word on a Node that lacks Node-API 10, so this has to be asked first. */
export function requireNodeApi(version: string | undefined): void {
  if (Number(version ?? 0) >= NODE_API) {
    return;
  }
  throw new BelfryError(
    "CONFIGURATION",
    `better-sqlite3 13 needs Node-API ${NODE_API}, but Node ${process.versions.node} has ${version ?? "none"}. Run Node 22.14 or newer.`,
  );
}

/** Sets how a database that Belfry opened keeps its writes. */
export async function configureOwn(connection: Connection, durability: "full" | "normal"): Promise<void> {
  const { database } = connection;
  // Readers and a writer do not wait for each other. Changing the mode needs the database for a moment.
  await connection.query(() => database.pragma("journal_mode = WAL"));
  // In WAL mode the driver runs NORMAL whatever the pragma first reads, so FULL has to be said.
  await connection.query(() => database.pragma(`synchronous = ${durability === "full" ? "FULL" : "NORMAL"}`));
}

/** Makes the connection that a host passed in keep its writes at least as `durability` promises; the rest stays as it is. */
export async function configureHosts(connection: Connection, durability: "full" | "normal"): Promise<void> {
  if (durability === "full") {
    // FULL is set even where the pragma reads FULL: in WAL mode the driver falls back to NORMAL afterwards, unless told.
    await connection.query(() => {
      if (Number(connection.database.pragma("synchronous", { simple: true })) !== EXTRA) {
        connection.database.pragma("synchronous = FULL");
      }
    });
  }
}
