import { randomBytes } from "node:crypto";
import pg from "pg";
import { LAUNCHER_VARIABLE } from "./global-setup.ts";

/** A database for one test file. */
export interface FreshDatabase {
  readonly url: string;
  /** Ends the remaining sessions and drops the database. */
  drop(): Promise<void>;
}

/**
 * Creates an empty database on the server of this test run, or on the server that `TEST_DATABASE_URL` names.
 *
 * @example
 * ```ts
 * const database = await freshDatabase();
 * const pool = new pg.Pool({ connectionString: database.url });
 * // …
 * await pool.end();
 * await database.drop();
 * ```
 */
export async function freshDatabase(): Promise<FreshDatabase> {
  const server = process.env.TEST_DATABASE_URL || (await askLauncher());
  const name = `belfry_test_${randomBytes(8).toString("hex")}`;
  await administer(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function askLauncher(): Promise<string> {
  const launcher = process.env[LAUNCHER_VARIABLE];
  if (launcher === undefined) {
    throw new Error(
      "No PostgreSQL to test with: add @belfry/postgres-launcher's global-setup to vitest's globalSetup, or set TEST_DATABASE_URL.",
    );
  }
  const response = await fetch(launcher);
  const text = await response.text();
  if (!response.ok) {
    throw new Error(text);
  }
  return text;
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
