import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { BelfryError } from "@belfry/core";
import { type FreshDatabase, freshDatabase } from "@belfry/postgres-launcher";
import pg from "pg";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bundledProgram } from "../../../test/bundled-program.ts";
import { readConfig } from "../src/config.ts";
import { TenantPlaces } from "../src/tenants/tenant-places.ts";
import { type ServerProcess, startServer } from "./run-server.ts";

const MOVE = bundledProgram(new URL("../src/tenants/move.ts", import.meta.url));
const run = promisify(execFile);

let databases: FreshDatabase[];
let running: ServerProcess[];

beforeEach(async () => {
  databases = [await freshDatabase(), await freshDatabase()];
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map(({ child, stop }) => (child.exitCode === null ? stop() : null)));
  await Promise.all(databases.map((database) => database.drop()));
});

/** How many items a database has. */
async function itemsIn({ url }: FreshDatabase): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ count: number }>("SELECT count(*)::int AS count FROM belfry_inbox_items");
  await client.end();
  return rows[0]?.count ?? 0;
}

test("a tenant moves to another database while the host serves it: what was accepted is there, and nothing else", {
  timeout: 240_000,
}, async () => {
  const [main, eu] = databases as [FreshDatabase, FreshDatabase];
  const DATABASE_URLS = `main=${main.url} eu=${eu.url}`;
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  running = [await startServer({ FRAMEWORK: "hono", DATABASE_URLS, DATABASE_URL: "" })];
  const [{ url }] = running as [ServerProcess];
  const headers = { "content-type": "application/json" };
  const statuses: number[] = [];
  let isOver = false;
  const load = (async () => {
    while (!isOver) {
      const body = JSON.stringify({ user_id: "ann", content: "Hi" });
      const { status } = await fetch(`${url}/api/notifications/create`, { method: "POST", headers, body });
      statuses.push(status);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await expect.poll(() => statuses.length, { timeout: 60_000 }).toBeGreaterThan(5);
  const { stdout } = await run(process.execPath, [MOVE, "default", "eu"], { env: { PATH, NODE_COMPILE_CACHE, DATABASE_URLS } });
  expect(stdout).toMatch(/Moved default from main to eu: \d+ rows/);
  const soFar = statuses.length;
  await expect.poll(() => statuses.length, { timeout: 60_000 }).toBeGreaterThan(soFar + 5);
  isOver = true;
  await load;
  expect(new Set(statuses)).toEqual(new Set([200, 503]));
  const accepted = statuses.filter((status) => status === 200).length;
  expect([await itemsIn(main), await itemsIn(eu)]).toEqual([0, accepted]);
  const listed = (await (await fetch(`${url}/api/notifications/list?user_id=ann`)).json()) as readonly unknown[];
  expect(listed.length).toBeGreaterThan(0);
  expect((await fetch(`${url}/health/ready`)).status).toBe(200);
});

test("DATABASE_URLS is read as names and URLs of PostgreSQL, and refused with the remedy, without the password", () => {
  const urls = "main=postgres://a:secret@h/x eu=postgresql://h/y?options=a=b";
  const config = readConfig({ DATABASE_URLS: urls });
  expect([...config.databases.keys()]).toEqual(["main", "eu"]);
  expect(config.database).toEqual({ kind: "postgres", url: "postgres://a:secret@h/x" });
  for (const wrong of ["main=sqlite:x", "postgres://a:secret@h/x", "a=postgres://h/x a=postgres://a:secret@h/y"]) {
    expect(() => readConfig({ DATABASE_URLS: wrong })).toThrow(/^DATABASE_URLS: must be like main=postgres:\/\/user:password@host\/db/);
  }
  expect(() => readConfig({ DATABASE_URLS: urls, DATABASE_URL: "sqlite:x" })).toThrow("leave DATABASE_URL out");
});

test("a host that cannot read where its tenants are refuses calls, since a tenant may have moved meanwhile, until it can", async () => {
  const [{ url }] = databases as [FreshDatabase, FreshDatabase];
  const places = new TenantPlaces(new pg.Pool({ connectionString: url }), pino({ level: "silent" }));
  await places.start();
  const locker = new pg.Client({ connectionString: url });
  await locker.connect();
  try {
    await expect.poll(() => places.of("acme")).toBeUndefined();
    await locker.query("BEGIN; LOCK TABLE host_tenant_places");
    await expect.poll(() => codeOf(() => places.of("acme")), { timeout: 20_000 }).toBe("STORAGE_UNAVAILABLE");
    await locker.query("INSERT INTO host_tenant_places VALUES ('acme', 'eu'); COMMIT");
    await expect.poll(() => codeOf(() => places.of("acme")), { timeout: 20_000 }).toBe("eu");
  } finally {
    await Promise.all([places.stop(), locker.end()]);
  }
});

/** What `work` returns, or the code of its error. */
function codeOf(work: () => string | undefined): string | undefined {
  try {
    return work();
  } catch (error) {
    return error instanceof BelfryError ? error.code : "another error";
  }
}
