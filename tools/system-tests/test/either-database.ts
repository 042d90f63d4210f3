import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FreshDatabase, freshDatabase } from "@belfry/postgres-launcher";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";

/** The databases that Belfry supports, for tests of both. */
export const DATABASES = ["SQLite", "PostgreSQL"] as const;

type Cleanup = (task: () => unknown) => void;

/** Makes a database of a kind that holds nothing yet and returns its URL; the database is removed after the test. */
export function emptyDatabase(kind: (typeof DATABASES)[number], cleanup: Cleanup): Promise<string> {
  return database(kind, migratedPostgres, cleanup);
}

/** Like {@link emptyDatabase}, also without Belfry's tables, which PostgreSQL's databases have otherwise. */
export function databaseWithoutTables(kind: (typeof DATABASES)[number], cleanup: Cleanup): Promise<string> {
  return database(kind, freshDatabase, cleanup);
}

async function database(kind: (typeof DATABASES)[number], postgres: () => Promise<FreshDatabase>, cleanup: Cleanup): Promise<string> {
  if (kind === "PostgreSQL") {
    const { url, drop } = await postgres();
    cleanup(drop);
    return url;
  }
  const directory = mkdtempSync(join(tmpdir(), "belfry-system-"));
  cleanup(() => rmSync(directory, { recursive: true }));
  return `sqlite:${join(directory, "belfry.db")}`;
}
