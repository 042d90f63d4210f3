import pg from "pg";
import { describe, expect, test } from "vitest";
import { session } from "../src/database/connection.ts";
import { milliseconds, statement } from "../src/database/statement.ts";
import { beginOf } from "../src/delivery/attempt-sums.ts";
import { migrate, postgresStorage } from "../src/index.ts";
import { entry, silent, useCleanup, useDatabase } from "./setup.ts";

const UNREADABLE = { code: "CONFIGURATION", message: expect.stringMatching(/true arrived as false, not as true.+`binary: true`/s) };

describe("values that arrive in another form", () => {
  const cleanup = useCleanup();
  const database = useDatabase();

  /** pg's types leave `binary` out. */
  function poolWith(config: pg.PoolConfig & { readonly binary?: boolean }) {
    const pool = new pg.Pool({ connectionString: database.url, ...config });
    cleanup(() => pool.end());
    return pool;
  }

  async function openStorage() {
    const storage = postgresStorage(poolWith({}), { logger: silent });
    await storage.open();
    cleanup(() => storage.close());
    return storage;
  }

  test("a pool with binary: true is refused by name, with and without migrations", async () => {
    await openStorage();
    const pool = poolWith({ binary: true });
    for (const isMigrating of [true, false]) {
      await expect(postgresStorage(pool, { migrate: isMigrating, logger: silent }).open()).rejects.toMatchObject(UNREADABLE);
    }
    await expect(migrate(pool)).rejects.toMatchObject(UNREADABLE);
  });

  test("a transaction on a client with binary: true is refused by name, and nothing is written", async () => {
    const storage = await openStorage();
    const client = await poolWith({ binary: true }).connect();
    cleanup(() => client.release());
    await client.query("BEGIN");
    const write = storage.inbox.createWithin(client, entry("bob"), () => undefined);
    await expect(write).rejects.toMatchObject(UNREADABLE);
    await client.query("COMMIT");
    expect((await storage.inbox.counts({ tenant: "acme", userId: "bob" })).total).toBe(0);
  });

  test("times of the years 1970 to 9999 arrive to the millisecond, and so do the beginnings of their minutes", async () => {
    const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
    const spread = Array.from({ length: 2_000 }, (_, index) => Math.floor((last / 2_000) * index) + ((index * 37) % 1_000));
    const times = [0, 1, 999, 59_999, 60_000, Date.UTC(2026, 6, 1, 12, 0, 0, 7), last - 1, last, ...spread];
    const { rows } = await poolWith({}).query<{ readonly ms: string; readonly minute: string }>(
      `SELECT ${milliseconds("t")} AS ms, ${milliseconds(beginOf("t", 60))} AS minute FROM unnest($1::timestamptz[]) WITH ORDINALITY AS u(t, place)
      ORDER BY place`,
      [times.map((time) => new Date(time).toISOString())],
    );
    expect(rows.map(({ ms }) => Number(ms))).toEqual(times);
    expect(rows.map(({ minute }) => Number(minute))).toEqual(times.map((time) => time - (time % 60_000)));
  });

  test("a list arrives with each of its elements to the letter", async () => {
    const texts = ["", "NULL", "null", '"', "\\", '\\"', "\\n", "a,b", "{}", "[1]", "\n\t\u0001\u007f", "Ünï 😀", "'; --", " "];
    const pool = poolWith({});
    const run = session(pool, { prepared: true, timeoutMs: 5_000 });
    const list = statement<[text: string | null]>("list_check", "SELECT * FROM unnest($1::text[])");
    for (const one of [texts, [], [null, "a", null], ...texts.map((text) => [text, null])]) {
      expect(await run.rows(list, [one])).toEqual(one.map((text) => [text]));
    }
    const numbers = statement<[of: number | null]>("numbers_check", "SELECT * FROM unnest($1::bigint[])");
    expect(await run.rows(numbers, [[0, -1, 9007199254740991, null]])).toEqual([[0], [-1], [9007199254740991], [null]]);
  });

  test("parsers that the host set for its own queries change nothing", async () => {
    const pool = poolWith({ types: { getTypeParser: () => () => "another form" } });
    expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: "another form" }]);
    const storage = postgresStorage(pool, { logger: silent });
    await storage.open();
    cleanup(() => storage.close());
    await storage.inbox.createMany([entry("ann", { data: { a: [1] } })]);
    const { items } = await storage.inbox.list({ tenant: "acme", userId: "ann" }, { status: "all", limit: 10 });
    expect(items.map(({ data, createdAt }) => [data, createdAt.constructor])).toEqual([[{ a: [1] }, Date]]);
    expect((await storage.inbox.counts({ tenant: "acme", userId: "ann" })).total).toBe(1);
  });
});
