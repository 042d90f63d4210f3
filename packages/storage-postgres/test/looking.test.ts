import pg from "pg";
import { describe, expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { openPool, useDatabase } from "./setup.ts";

describe("looking at a database from outside", () => {
  const empty = useDatabase();

  test("an empty database lacks all migrations; migrate brings them, over a string and over a pool of the host", async () => {
    const pool = openPool(empty.url);
    try {
      const { database } = postgresStorage(empty.url, { migrate: false });
      const ofHost = postgresStorage(pool, { migrate: false }).database;
      const before = await database.migrations();
      expect([before.newest, before.hasTables, before.pending.length]).toEqual([0, false, before.known]);
      expect(await ofHost.migrations()).toEqual(before);
      await ofHost.migrate({});
      expect(await database.migrations()).toEqual({ known: before.known, newest: before.known, hasTables: true, pending: [] });
      await database.migrate({ cleanup: true });
      // The host's pool is its own, and still open.
      expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    } finally {
      await pool.end();
    }
  });

  test("it says what it is: its version, its clock and settings", async () => {
    const { product, version, now, settings } = await postgresStorage(empty.url).database.inspect();
    expect([product, version]).toEqual(["PostgreSQL", expect.stringMatching(/^\d+\.\d+/)]);
    expect(Math.abs(now.getTime() - Date.now())).toBeLessThan(600_000);
    expect(settings).toMatchObject({
      schema: "public",
      in_recovery: "off",
      server_encoding: "UTF8",
      max_connections: expect.stringMatching(/^\d+$/),
    });
  });

  test("its place has no password and no parameters", () => {
    const place = (source: Parameters<typeof postgresStorage>[0]) => postgresStorage(source).database.place;
    expect(place("postgres://ann:hunter2@db.example.com:6432/app?password=hunter2")).toBe("postgres://db.example.com:6432/app");
    expect(place("/var/run/postgresql app")).toBe("postgres");
    // A pool connects to nothing before it is used.
    const pools = [
      new pg.Pool({ connectionString: "postgres://ann:hunter2@db.example.com/app" }),
      new pg.Pool({ host: "db.example.com", port: 6432, database: "app", password: "hunter2" }),
    ];
    expect(pools.map(place)).toEqual(["postgres://db.example.com/app", "postgres://db.example.com:6432/app"]);
  });

  test("a server that is not there is out of reach", async () => {
    const { database } = postgresStorage("postgres://ann:hunter2@127.0.0.1:9/app");
    const outOfReach = { code: "STORAGE_UNAVAILABLE", message: expect.not.stringContaining("hunter2") };
    await expect(database.inspect()).rejects.toMatchObject(outOfReach);
    await expect(database.migrations()).rejects.toMatchObject(outOfReach);
    await expect(database.migrate({})).rejects.toMatchObject(outOfReach);
  });
});
