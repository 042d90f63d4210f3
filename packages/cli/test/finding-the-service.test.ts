import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { EXIT } from "../src/index.ts";
import { belfry, directory, documentOf } from "./setup.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) {
    await cleanup();
  }
});

async function place(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const { path, remove } = await directory();
  cleanups.push(remove);
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(path, name), text);
  }
  return path;
}

/** A service of an application, without a database: it says what it is told. */
const SERVICE = `
  const tenant = { tenantId: "acme", channels: () => [], createUntyped: async (input: object) => ({ notification: { id: "1", ...input }, items: [] }) };
  export const notifications = {
    apiKeys: {}, retention: { readMs: 86_400_000 }, defaultTenant: tenant, tenant: () => tenant,
    database: { place: "sqlite:own.db", migrations: async () => ({ known: 1, newest: 1, hasTables: true, pending: [] }) },
    start: async () => {}, sweep: async () => ({}), stop: async () => { console.error("stopped") },
  };
`;

describe("where the service is found", () => {
  test("belfry.config.ts of the directory comes before DATABASE_URL", async () => {
    const cwd = await place({ "belfry.config.ts": SERVICE });
    const ran = await belfry(["migrate", "--dry-run", "--json"], { cwd, env: { DATABASE_URL: "sqlite:another.db" } });
    expect(documentOf(ran)).toMatchObject({ place: "sqlite:own.db" });
  });

  test("--config names another one, which may export its service by default", async () => {
    const cwd = await place({
      "service.ts": SERVICE,
      "other.ts": 'import { notifications } from "./service.ts"; export default notifications;',
    });
    expect(documentOf(await belfry(["migrate", "--dry-run", "--json", "--config", "other.ts"], { cwd }))).toMatchObject({
      place: "sqlite:own.db",
    });
  });

  test("DATABASE_URL is taken without one, and --database before everything", async () => {
    const cwd = await place();
    const env = { DATABASE_URL: `sqlite:${join(cwd, "env.db")}` };
    expect(documentOf(await belfry(["migrate", "--dry-run", "--json"], { cwd, env })).place).toContain("env.db");
    const named = ["migrate", "--dry-run", "--json", "--database", `sqlite:${join(cwd, "named.db")}`];
    expect(documentOf(await belfry(named, { cwd, env })).place).toContain("named.db");
  });

  test("an application of Next has its variables in .env.local and .env, and those of the process win", async () => {
    const files = { ".env": "DATABASE_URL=sqlite:env.db", ".env.local": "DATABASE_URL=sqlite:local.db" };
    const next = { "package.json": JSON.stringify({ dependencies: { next: "16.0.0" } }) };
    const dryRun = ["migrate", "--dry-run", "--json"];
    const placeIn = async (cwd: string, env = {}) => documentOf(await belfry(dryRun, { cwd, env })).place;
    expect(await placeIn(await place({ ...files, ...next }))).toContain("local.db");
    expect(await placeIn(await place({ ".env": files[".env"], ...next }))).toContain("env.db");
    expect(await placeIn(await place({ ...files, ...next }), { DATABASE_URL: "sqlite:own.db" })).toContain("own.db");
    expect((await belfry(dryRun, { cwd: await place({ ...files, "package.json": "{}" }) })).stdout).toContain("DATABASE_URL is not set");
  });

  test.each<[string, string[], Record<string, string>, RegExp]>([
    ["nothing", [], {}, /no belfry\.config\.ts, and DATABASE_URL is not set/],
    ["an unknown scheme", ["--database", "mysql://ann:hunter2@x/y"], {}, /--database is "mysql:"\. Give sqlite:<path> or postgres:/],
    ["a path without a scheme", ["--database", "app.db"], {}, /--database is a text without a scheme/],
    ["a database in memory", [], { DATABASE_URL: "sqlite::memory:" }, /DATABASE_URL is a database in memory/],
    ["a schema of SQLite", ["--database", "sqlite:app.db", "--schema", "x"], {}, /SQLite has no schemas/],
    ["two services", ["--database", "sqlite:app.db", "--config", "x.ts"], {}, /name two services/],
    ["a configuration that is not there", ["--config", "missing.ts"], {}, /There is no configuration .*missing\.ts/],
  ])("%s: says what to give", async (_, args, env, message) => {
    const { code, stderr } = await belfry(["migrate", "--dry-run", ...args], { cwd: await place(), env });
    expect([code, stderr]).toEqual([EXIT.usage, expect.stringMatching(message)]);
    expect(stderr).not.toContain("hunter2");
  });

  test.each([
    ["exports nothing", "export const x = 1;", /has no NotificationService: it exports x/],
    ["throws", 'throw new Error("no secret here");', /Cannot load the configuration .*no secret here/],
  ])("a configuration that %s: says so", async (_, text, message) => {
    const cwd = await place({ "belfry.config.ts": text });
    const { code, stderr } = await belfry(["doctor"], { cwd });
    expect([code, stderr]).toEqual([EXIT.usage, expect.stringMatching(message)]);
  });
});
