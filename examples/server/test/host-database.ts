import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";

/**
 * The settings for tests of the complete host: each framework once, each database once. Testing every pair would start
 * twice the processes for the same code, and the adapters' suites show what an adapter does over a storage.
 */
export const HOSTS = [
  ["express", "sqlite"],
  ["hono", "postgres"],
] as const;

export type DatabaseKind = (typeof HOSTS)[number][1];

/** A database of a test's own that holds nothing yet. PostgreSQL has its tables: `postgres.test.ts` begins without. */
export interface HostDatabase {
  /** The value of the host's `DATABASE_URL`. */
  readonly url: string;
  drop(): Promise<void>;
}

/** Makes a database; one of SQLite is a file in a directory that the host has to make. */
export async function hostDatabase(kind: DatabaseKind): Promise<HostDatabase> {
  if (kind === "postgres") {
    return migratedPostgres();
  }
  const directory = await mkdtemp(join(tmpdir(), "belfry-server-"));
  return { url: `sqlite:${join(directory, "deep", "belfry.db")}`, drop: () => rm(directory, { recursive: true, force: true }) };
}
