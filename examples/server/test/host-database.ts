import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshDatabase } from "@belfry/postgres-launcher";

/**
 * What the complete host is tested on: each framework once, each database once. Every pair would start twice the
 * processes to see the same code: what an adapter does over a storage is in the suites of the adapters.
 */
export const HOSTS = [
  ["express", "sqlite"],
  ["hono", "postgres"],
] as const;

export type DatabaseKind = (typeof HOSTS)[number][1];

/** An empty database of a test's own. */
export interface HostDatabase {
  /** What the host takes as `DATABASE_URL`. */
  readonly url: string;
  drop(): Promise<void>;
}

/** Makes a database; one of SQLite is a file in a directory that the host has to make. */
export async function hostDatabase(kind: DatabaseKind): Promise<HostDatabase> {
  if (kind === "postgres") {
    return freshDatabase();
  }
  const directory = await mkdtemp(join(tmpdir(), "belfry-server-"));
  return { url: `sqlite:${join(directory, "deep", "belfry.db")}`, drop: () => rm(directory, { recursive: true, force: true }) };
}
