import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";

/** The databases that Belfry supports, for tests of both. */
export const DATABASES = ["SQLite", "PostgreSQL"] as const;

/** Makes a database of a kind that holds nothing yet and returns its URL; the database is removed after the test. */
export async function emptyDatabase(kind: (typeof DATABASES)[number], cleanup: (task: () => unknown) => void): Promise<string> {
  if (kind === "PostgreSQL") {
    const { url, drop } = await migratedPostgres();
    cleanup(drop);
    return url;
  }
  const directory = mkdtempSync(join(tmpdir(), "belfry-system-"));
  cleanup(() => rmSync(directory, { recursive: true }));
  return `sqlite:${join(directory, "belfry.db")}`;
}
