import { randomBytes } from "node:crypto";
import pg from "pg";
import { LAUNCHER_VARIABLE } from "./global-setup.ts";

/** A database for one test file. */
export interface FreshDatabase {
  readonly url: string;
  /** Ends the remaining sessions and drops the database. */
  drop(): Promise<void>;
}

/** The content that a database begins with. */
export interface DatabaseContent {
  /** In lower case, without spaces: all contents of one name are the same. */
  readonly name: string;
  /** Writes the content into an empty database, and leaves no connection open. */
  write(url: string): Promise<void>;
}

/**
 * Creates a database on the server of this test run, or on the server that `TEST_DATABASE_URL` names. It is empty, or
 * has `content`: that is written once in a test run, and copied for all further databases.
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
export async function freshDatabase(content?: DatabaseContent): Promise<FreshDatabase> {
  const given = process.env.TEST_DATABASE_URL;
  if (given) {
    // That server outlives the run, and must not keep a template of it.
    const database = await create(given);
    await content?.write(database.url);
    return database;
  }
  const server = await askLauncher();
  return create(server, content === undefined ? "template1" : await templateOf(server, content));
}

/** Creates a database, by copying the files of `template` if one is named. */
async function create(server: string, template?: string): Promise<FreshDatabase> {
  const name = `belfry_test_${randomBytes(8).toString("hex")}`;
  // That takes half of what it takes to log their pages, which is the usual way, where nothing has to reach a disk.
  const copied = template === undefined ? "" : ` TEMPLATE ${template} STRATEGY FILE_COPY`;
  await administer(server, (client) => client.query(`CREATE DATABASE ${name}${copied}`));
  return {
    url: urlOf(server, name),
    drop: () => administer(server, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

/** The templates that this process knows to be there. */
const templates = new Map<string, Promise<string>>();

function templateOf(server: string, content: DatabaseContent): Promise<string> {
  const template = templates.get(content.name) ?? makeTemplate(server, content);
  templates.set(content.name, template);
  return template;
}

/** Makes the run's template of a content, unless another process of the run has. */
async function makeTemplate(server: string, { name, write }: DatabaseContent): Promise<string> {
  const template = `belfry_template_${name}`;
  await administer(server, async (client) => {
    // Ends with the session.
    await client.query("SELECT pg_advisory_lock(hashtext($1))", [template]);
    const made = await client.query("SELECT FROM pg_database WHERE datname = $1 AND datistemplate", [template]);
    if (made.rowCount === 0) {
      // Of a process that was stopped on its way.
      await client.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
      await client.query(`CREATE DATABASE ${template}`);
      await write(urlOf(server, template));
      await client.query(`ALTER DATABASE ${template} WITH IS_TEMPLATE true`);
    }
  });
  return template;
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
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

async function administer(server: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
