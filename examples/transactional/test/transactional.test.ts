import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freshDatabase } from "@belfry/postgres-launcher";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundledPrograms } from "../../../test/bundled-program.ts";

const execute = promisify(execFile);
const directory = fileURLToPath(new URL("..", import.meta.url));
const drizzleKit = join(dirname(createRequire(import.meta.url).resolve("drizzle-kit")), "bin.cjs");

const [SQLITE, DRIZZLE, PG] = ["sqlite", "postgres-drizzle", "postgres-pg"].map(
  (name) => new URL(`../src/${name}.ts`, import.meta.url),
) as [URL, URL, URL];
const programOf = bundledPrograms([SQLITE, DRIZZLE, PG]);

const PRINTED = "We are out of the moon.\norders: 1, inbox: Order received: a lamp\n";

/** Runs a program of the example, or drizzle-kit, in the example's directory, and returns its output. */
async function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await execute(process.execPath, [...args], {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      NODE_OPTIONS: "--conditions=@belfry/source",
      ...env,
    },
  });
  return stdout;
}

describe("an order and its notification in one transaction", () => {
  let env: Readonly<Record<string, string>>;
  let cleanup: () => Promise<void>;

  beforeEach(async () => {
    const [database, folder] = [await freshDatabase(), await mkdtemp(join(tmpdir(), "belfry-transactional-"))];
    env = { DATABASE_URL: database.url, SQLITE_FILE: join(folder, "app.db") };
    cleanup = async () => {
      await Promise.all([
        database.drop(),
        rm(folder, { recursive: true }),
        rm(join(directory, "migrations"), { recursive: true, force: true }),
      ]);
    };
    await rm(join(directory, "migrations"), { recursive: true, force: true });
  });
  afterEach(() => cleanup());

  test("on SQLite, beside drizzle-kit, which leaves Belfry's tables alone", async () => {
    const push = () => run([drizzleKit, "push", "--config", "drizzle.sqlite.config.ts"], env);
    await push();
    expect(await run([programOf(SQLITE)], env)).toBe(PRINTED);
    expect(await push()).toContain("No changes detected");
  });

  test("on PostgreSQL with drizzle, where drizzle-kit makes Belfry's tables with the host's", async () => {
    const kit = (command: string) => run([drizzleKit, command, "--config", "drizzle.postgres.config.ts"], env);
    await kit("generate");
    await kit("migrate");
    expect(await run([programOf(DRIZZLE)], env)).toBe(PRINTED);
    expect(await kit("generate")).toContain("No schema changes");
    const client = new pg.Client({ connectionString: env.DATABASE_URL });
    await client.connect();
    const { rows } = await client.query("SELECT data->>'order' = (SELECT id::text FROM orders) AS matches FROM belfry_notifications");
    await client.end();
    expect(rows).toEqual([{ matches: true }]);
  });

  test("on PostgreSQL with pg", async () => {
    expect(await run([programOf(PG)], env)).toBe(PRINTED);
  });
});
