import type { Migration } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { MIGRATIONS } from "../src/migrations/index.ts";
import { migrateAtOpen, migrateLater, migrationStep } from "../src/migrations/migrate.ts";
import { PostgresStorage } from "../src/postgres-storage.ts";
import { entry, openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const BASE = MIGRATIONS.length;
const owner = { tenant: "acme", userId: "ann" };

/** A column that is filled for rows that have none, an index, and a column that goes away in the end. */
const EXPAND: Migration = {
  phase: "expand",
  sql: "ALTER TABLE belfry_notifications ADD COLUMN weight integer; ALTER TABLE belfry_notifications ADD COLUMN old integer",
};
const MOVE: Migration = {
  phase: "background",
  sql: "UPDATE belfry_notifications SET weight = length(title) WHERE pk IN (SELECT pk FROM belfry_notifications WHERE weight IS NULL ORDER BY pk LIMIT 10)",
};
const INDEX: Migration = {
  phase: "outside",
  statements: [
    "DROP INDEX CONCURRENTLY IF EXISTS belfry_planted",
    "CREATE INDEX CONCURRENTLY belfry_planted ON belfry_notifications (weight)",
  ],
};
const CLEANUP: Migration = {
  phase: "cleanup",
  sql: "ALTER TABLE belfry_notifications DROP COLUMN old",
  oldestCompatible: BASE + 1,
};
const PLANTED = [...MIGRATIONS, EXPAND, MOVE, INDEX, CLEANUP];

describe("phases of migrations", () => {
  const cleanup = useCleanup();
  const database = useDatabase();
  let schemas = 0;

  function place() {
    const pool = openPool(database.url);
    cleanup(() => pool.end());
    schemas += 1;
    return { pool, schema: `phases ${schemas}` };
  }

  type Place = ReturnType<typeof place>;

  /** A place of the base version with so many notifications. */
  async function filled(count: number): Promise<Place> {
    const here = place();
    await migrateAtOpen(here.pool, { ...here, migrations: MIGRATIONS });
    await (await opened(here, MIGRATIONS)).inbox.createMany(Array.from({ length: count }, () => entry("ann")));
    return here;
  }

  async function opened(here: Place, migrations: readonly Migration[]): Promise<PostgresStorage> {
    const storage = new PostgresStorage(here.pool, { schema: here.schema, logger: silent }, migrations);
    cleanup(() => storage.close());
    await storage.open();
    return storage;
  }

  async function applied({ pool, schema }: Place): Promise<number[]> {
    return (await rowsOf<{ id: number }>(pool, `SELECT id FROM "${schema}".belfry_migrations WHERE id > $1 ORDER BY id`, [BASE])).map(
      ({ id }) => id - BASE,
    );
  }

  async function count({ pool, schema }: Place, where: string): Promise<number> {
    const [row] = await rowsOf<{ count: number }>(
      pool,
      `SELECT count(*)::int AS count FROM "${schema}".belfry_notifications WHERE ${where}`,
    );
    return row?.count ?? -1;
  }

  async function columns({ pool, schema }: Place): Promise<string[]> {
    const rows = await rowsOf<{ name: string }>(
      pool,
      "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = $1 AND table_name = 'belfry_notifications'",
      [schema],
    );
    return rows.map(({ name }) => name);
  }

  async function isIndexValid({ pool, schema }: Place): Promise<boolean | undefined> {
    const [row] = await rowsOf<{ valid: boolean }>(pool, "SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)", [
      `"${schema}".belfry_planted`,
    ]);
    return row?.valid;
  }

  test("an empty database gets every phase at once, but for what no transaction can hold", async () => {
    const here = place();
    const target = { ...here, migrations: PLANTED };
    await migrateAtOpen(here.pool, target);
    expect(await applied(here)).toEqual([1, 2, 4]);
    expect(await columns(here)).not.toContain("old");
    await migrateLater(here.pool, target);
    expect(await applied(here)).toEqual([1, 2, 3, 4]);
    expect(await isIndexValid(here)).toBe(true);
  });

  test("a storage can be used at once; rows move in small steps behind it, and nothing is removed unasked", async () => {
    const here = await filled(35);
    const storage = await opened(here, PLANTED);
    expect((await storage.inbox.counts(owner)).total).toBe(35);
    await expect.poll(() => applied(here), { timeout: 20_000 }).toEqual([1, 2, 3]);
    expect(await count(here, "weight = length(title)")).toBe(35);
    expect(await columns(here)).toContain("old");

    await migrateLater(here.pool, { ...here, migrations: PLANTED }, { mayCleanUp: true });
    expect(await applied(here)).toEqual([1, 2, 3, 4]);
    expect(await columns(here)).not.toContain("old");
  });

  test("steps are small, and go on where a killed one stopped", async () => {
    const here = await filled(35);
    const target = { ...here, migrations: PLANTED };
    await migrateAtOpen(here.pool, target);
    expect(await migrationStep(here.pool, target)).toBe("more");
    expect(await count(here, "weight IS NOT NULL")).toBe(10);

    const holder = await here.pool.connect();
    await holder.query("BEGIN");
    await holder.query(`SELECT FROM "${here.schema}".belfry_notifications WHERE weight IS NULL FOR UPDATE`);
    const step = migrationStep(here.pool, target);
    const failed = expect(step).rejects.toThrow();
    const waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%SET weight%'";
    await expect.poll(async () => (await rowsOf(here.pool, waiting)).length, { timeout: 20_000 }).toBe(1);
    await failed;
    await holder.query("ROLLBACK");
    holder.release();
    expect(await count(here, "weight IS NOT NULL")).toBe(10);

    await migrateLater(here.pool, target);
    expect(await count(here, "weight = length(title)")).toBe(35);
    expect(await applied(here)).toEqual([1, 2, 3]);
  });

  test("an expand step that is killed leaves nothing of itself", async () => {
    const here = await filled(1);
    const deadly: Migration = { phase: "expand", sql: `${EXPAND.sql}; SELECT pg_terminate_backend(pg_backend_pid())` };
    await expect(migrateAtOpen(here.pool, { ...here, migrations: [...MIGRATIONS, deadly] })).rejects.toMatchObject({
      code: "STORAGE_UNAVAILABLE",
    });
    expect(await applied(here)).toEqual([]);
    expect(await columns(here)).not.toContain("weight");
  });

  test("an index whose build was interrupted is built again", async () => {
    const here = await filled(1);
    const target = { ...here, migrations: [...MIGRATIONS, EXPAND, INDEX] };
    await migrateAtOpen(here.pool, target);
    const writer = await here.pool.connect();
    await writer.query("BEGIN");
    await writer.query(`UPDATE "${here.schema}".belfry_notifications SET weight = 1`);
    const stop = new AbortController();
    const step = migrationStep(here.pool, target, { signal: stop.signal });
    const failed = expect(step).rejects.toThrow(/cancel/);
    await expect.poll(() => isIndexValid(here), { timeout: 20_000 }).toBe(false);
    // Meanwhile others find somebody at it.
    expect(await migrationStep(here.pool, target)).toBe("busy");
    stop.abort();
    await failed;
    await writer.query("COMMIT");
    writer.release();
    expect(await applied(here)).toEqual([1]);

    await migrateLater(here.pool, target);
    expect(await applied(here)).toEqual([1, 2]);
    expect(await isIndexValid(here)).toBe(true);
  });

  test("six instances at once run every phase once, and all of them work meanwhile", async () => {
    const here = await filled(120);
    const storages = await Promise.all(Array.from({ length: 6 }, () => opened(here, PLANTED)));
    await Promise.all(storages.map((storage) => storage.inbox.createMany([entry("ann")])));
    await Promise.all(Array.from({ length: 6 }, () => migrateLater(here.pool, { ...here, migrations: PLANTED }, { mayCleanUp: true })));
    expect(await applied(here)).toEqual([1, 2, 3, 4]);
    expect(await count(here, "weight = length(title)")).toBe(126);
    for (const storage of storages) {
      expect((await storage.inbox.counts(owner)).total).toBe(126);
    }
  });

  test("an older instance works beside a newer one until what it needs is removed", async () => {
    const here = await filled(3);
    const newer = await opened(here, PLANTED);
    await expect.poll(() => applied(here), { timeout: 20_000 }).toEqual([1, 2, 3]);
    const older = await opened(here, MIGRATIONS);
    await older.inbox.createMany([entry("ann")]);
    expect((await newer.inbox.counts(owner)).total).toBe(4);
    // The older instance knows nothing of the new column.
    expect(await count(here, "weight IS NULL")).toBe(1);

    await migrateLater(here.pool, { ...here, migrations: PLANTED }, { mayCleanUp: true });
    expect(await applied(here)).toEqual([1, 2, 3, 4]);
    expect(await count(here, "weight = length(title)")).toBe(4);
    await expect(opened(here, MIGRATIONS)).rejects.toMatchObject({
      code: "CONFIGURATION",
      message: expect.stringMatching(new RegExp(`needs a package that knows migration ${BASE + 1}, but .* knows ${BASE}: .*Update`)),
    });
    await opened(here, PLANTED.slice(0, BASE + 1));
  });

  test("the cleanup runs without asking if the database refuses older packages anyway", async () => {
    const here = await filled(12);
    const floor: Migration = { phase: "expand", sql: "SELECT 1", oldestCompatible: BASE + 1 };
    await opened(here, [...PLANTED, floor]);
    await expect.poll(() => applied(here), { timeout: 20_000 }).toEqual([1, 2, 3, 4, 5]);
    expect(await columns(here)).not.toContain("old");
    await expect(opened(here, MIGRATIONS)).rejects.toMatchObject({ code: "CONFIGURATION" });
  });

  test("a storage told not to migrate refuses tables that are too old, and leaves the rest to others", async () => {
    const here = await filled(12);
    const storage = new PostgresStorage(here.pool, { schema: here.schema, migrate: false }, PLANTED);
    await expect(storage.open()).rejects.toMatchObject({ code: "CONFIGURATION", message: expect.stringMatching(/lacks migration/) });
    await migrateAtOpen(here.pool, { ...here, migrations: PLANTED });
    await storage.open();
    await storage.close();
    expect(await applied(here)).toEqual([1]);
  });
});
