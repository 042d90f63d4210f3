import { describe, expect, test } from "vitest";
import { migrate, postgresStorage } from "../src/index.ts";
import { MIGRATIONS } from "../src/migrations/index.ts";
import { migrateAtOpen } from "../src/migrations/migrate.ts";
import { openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

describe("migrations", () => {
  const cleanup = useCleanup();
  const database = useDatabase();
  let schemas = 0;

  function place() {
    const pool = openPool(database.url);
    cleanup(() => pool.end());
    schemas += 1;
    return { pool, schema: `place ${schemas}` };
  }

  async function applied({ pool, schema }: ReturnType<typeof place>): Promise<number[]> {
    return (await rowsOf<{ id: number }>(pool, `SELECT id FROM "${schema}".belfry_migrations ORDER BY id`)).map(({ id }) => id);
  }

  const all = MIGRATIONS.map((_, index) => index + 1);

  test("six instances that start at once migrate once, and all of them work", async () => {
    const here = place();
    const storages = Array.from({ length: 6 }, () => postgresStorage(database.url, { schema: here.schema, logger: silent, poolSize: 2 }));
    cleanup(() => Promise.all(storages.map((storage) => storage.close())));
    await Promise.all(storages.map((storage) => storage.open()));
    expect(await applied(here)).toEqual(all);
    for (const storage of storages) {
      expect((await storage.inbox.counts({ tenant: "t", userId: "u" })).total).toBe(0);
    }
  });

  test("a second migration changes nothing", async () => {
    const here = place();
    await migrate(here.pool, { schema: here.schema });
    const before = await rowsOf(here.pool, `SELECT * FROM "${here.schema}".belfry_migrations`);
    await migrate(here.pool, { schema: here.schema });
    expect(await rowsOf(here.pool, `SELECT * FROM "${here.schema}".belfry_migrations`)).toEqual(before);
  });

  test("a migration whose SQL is not what the database has is refused, and so is a newer database", async () => {
    const here = place();
    await migrate(here.pool, { schema: here.schema });
    await here.pool.query(`INSERT INTO "${here.schema}".belfry_migrations VALUES ($1, 'later', now(), $1)`, [MIGRATIONS.length + 1]);
    await expect(migrate(here.pool, { schema: here.schema })).rejects.toMatchObject({
      code: "CONFIGURATION",
      message: expect.stringMatching(/newer version/),
    });
    await here.pool.query(`DELETE FROM "${here.schema}".belfry_migrations WHERE id > $1`, [MIGRATIONS.length]);
    await here.pool.query(`UPDATE "${here.schema}".belfry_migrations SET checksum = 'other' WHERE id = 1`);
    await expect(migrate(here.pool, { schema: here.schema })).rejects.toMatchObject({
      code: "CONFIGURATION",
      message: expect.stringMatching(/Migration 1 .* other/),
    });
  });

  test("a migration that fails leaves nothing of itself or of those before it", async () => {
    const here = place();
    const sql = "CREATE TABLE belfry_half (id integer); INSERT INTO belfry_nowhere VALUES (1);";
    await expect(
      migrateAtOpen(here.pool, { schema: here.schema, migrations: [...MIGRATIONS, { phase: "expand", sql }] }),
    ).rejects.toMatchObject({
      code: "STORAGE_FAILED",
    });
    expect(await rowsOf(here.pool, "SELECT 1 FROM pg_namespace WHERE nspname = $1", [here.schema])).toEqual([]);
    await migrate(here.pool, { schema: here.schema });
    expect(await applied(here)).toEqual(all);
  });

  test("a storage told not to migrate says that the tables are not there", async () => {
    const here = place();
    const storage = postgresStorage(here.pool, { schema: here.schema, migrate: false });
    await expect(storage.open()).rejects.toMatchObject({ code: "CONFIGURATION", message: expect.stringMatching(/no table.*migrate/) });
    await migrate(here.pool, { schema: here.schema });
    await expect(storage.open()).resolves.toBeUndefined();
  });

  test("the host's own tables stay", async () => {
    const here = place();
    await here.pool.query("CREATE TABLE public.hosts_orders (id integer)");
    await migrate(here.pool);
    expect(await rowsOf(here.pool, "SELECT count(*)::int AS count FROM hosts_orders")).toEqual([{ count: 0 }]);
  });
});
