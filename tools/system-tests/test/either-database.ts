import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshDatabase } from "@belfry/postgres-launcher";

/** The databases that Belfry supports, for tests of both. */
export const DATABASES = ["SQLite", "PostgreSQL"] as const;

/** Makes an empty database of a kind and returns its URL; the database is removed after the test. */
export async function emptyDatabase(kind: (typeof DATABASES)[number], cleanup: (task: () => unknown) => void): Promise<string> {
  if (kind === "PostgreSQL") {
    const { url, drop } = await freshDatabase();
    cleanup(drop);
    return url;
  }
  const directory = mkdtempSync(join(tmpdir(), "belfry-system-"));
  cleanup(() => rmSync(directory, { recursive: true }));
  return `sqlite:${join(directory, "belfry.db")}`;
}
