import type { Lease } from "@belfry/core/storage";
import type { FreshDatabase } from "@belfry/postgres-launcher";
import { type ColumnSpec, columnName, POSTGRES_TABLES } from "@belfry/storage-sql";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";
import { tableNames } from "../src/database/table-names.ts";
import { abandonMove, moveTenant, type PostgresStorage, postgresStorage } from "../src/index.ts";
import { MOVED_TABLES, STAYING_TABLES } from "../src/moving/moved-tables.ts";
import { entry, openPool, rowsOf, silent, useCleanup } from "./setup.ts";

type Table = keyof typeof POSTGRES_TABLES;

const TABLES = tableNames("public");
const ID = (number: number) => `01890000-0000-7000-8000-${String(number).padStart(12, "0")}`;

/** A value for a column: another one for each row, with what JSON and SQL have to escape. */
function filledWith({ kind }: ColumnSpec, { tenant, number }: { readonly tenant: string; readonly number: number }): unknown {
  const odd = `${tenant} ${number} "ü\\\n' {}`;
  const values: Readonly<Record<typeof kind, unknown>> = {
    key: undefined,
    counter: undefined,
    text: odd,
    bytewise: odd,
    uuid: ID(number),
    integer: number,
    number: 2 ** 40 + number,
    boolean: number % 2 === 0,
    time: new Date(1_900_000_000_000 + number),
    json: `{"z": ["${number}"],  "a": 1.10}`,
    texts: [odd, ""],
  };
  return values[kind];
}

/** Puts a row into every table that moves, with a value in every column. Rows refer to those of the same tenant. */
async function fillAll(pool: pg.Pool, tenant: string, first: number): Promise<void> {
  const keys = new Map<string, number>();
  for (const [index, { table }] of MOVED_TABLES.entries()) {
    const number = first + index;
    const columns: Readonly<Record<string, ColumnSpec>> = POSTGRES_TABLES[table].columns;
    const given = Object.entries(columns).flatMap(([field, column]): [string, unknown][] => {
      const parent = column.of?.table ?? { notificationPk: "notifications", digestPk: "digests" }[field];
      const value = parent === undefined ? (field === "tenant" ? tenant : filledWith(column, { tenant, number })) : keys.get(parent);
      return value === undefined ? [] : [[columnName(field, column), value]];
    });
    const [row] = await rowsOf<{ pk?: string }>(
      pool,
      `INSERT INTO ${TABLES[table]} (${given.map(([name]) => `"${name}"`).join(", ")}) VALUES (${given.map((_, at) => `$${at + 1}`).join(", ")}) RETURNING *`,
      given.map(([, value]) => value),
    );
    keys.set(table, Number(row?.pk));
  }
}

/** The rows of a tenant in all tables that have one, without the keys that each database gives out. */
async function rowsOfTenant(pool: pg.Pool, tenant: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const own = MOVED_TABLES.filter(({ table }) => "tenant" in POSTGRES_TABLES[table].columns);
  const entries = own.map(async ({ table }) => {
    const columns: Readonly<Record<string, ColumnSpec>> = POSTGRES_TABLES[table].columns;
    const plain = Object.entries(columns).filter(
      ([field, { kind, of }]) => of === undefined && kind !== "key" && kind !== "counter" && field !== "tenant",
    );
    const names = plain.map(([field, column]) => `"${columnName(field, column)}"`).join(", ");
    const rows = await rowsOf<{ row: string }>(
      pool,
      `SELECT (${names || "1"}, 0)::text AS row FROM ${TABLES[table]} WHERE tenant = $1 ORDER BY 1`,
      [tenant],
    );
    return [table, rows.map(({ row }) => row)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Puts a row into every table, with no work under way. */
async function fillIdle(pool: pg.Pool, tenant: string, first: number): Promise<Readonly<Record<string, readonly string[]>>> {
  await fillAll(pool, tenant, first);
  for (const table of [TABLES.deliveries, TABLES.digests, TABLES.processingRecords]) {
    await pool.query(`UPDATE ${table} SET lease_owner = NULL, lease_until = NULL WHERE tenant = $1`, [tenant]);
  }
  await pool.query(`UPDATE ${TABLES.audiences} SET source = NULL WHERE tenant = $1`, [tenant]);
  return await rowsOfTenant(pool, tenant);
}

/** A pool that calls `interrupt` before it gives a connection for the 75th time, which is in the middle of a copy, and afterwards. */
function interrupted(url: string, interrupt: () => Promise<void>): pg.Pool {
  const pool = openPool(url);
  const connect = pool.connect.bind(pool);
  let calls = 0;
  Object.assign(pool, {
    connect(done: (error: Error | undefined, client?: pg.PoolClient) => void) {
      calls += 1;
      const interrupts = calls < 75 ? Promise.resolve() : interrupt();
      interrupts.then(
        () => connect(done as never),
        (error: Error) => done(error),
      );
    },
  });
  return pool;
}

const lost = () => Promise.reject(new Error("Connection terminated unexpectedly"));

/** Ends the session that holds the lock of a move. */
async function endLock(pool: pg.Pool): Promise<void> {
  await pool.query(
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
  );
}

const stateIn = async (pool: pg.Pool, tenant: string) =>
  (await rowsOf<{ state: string }>(pool, "SELECT state FROM belfry_moves WHERE tenant = $1", [tenant])).map(({ state }) => state);

const countOf = (rows: Readonly<Record<string, readonly string[]>>) => Object.values(rows).flat().length;

describe("a tenant that moves to another database", () => {
  const cleanup = useCleanup();
  const made: FreshDatabase[] = [];
  let from: pg.Pool;
  let to: pg.Pool;

  beforeAll(async () => {
    made.push(await migratedPostgres(), await migratedPostgres());
    [from, to] = made.map(({ url }) => openPool(url)) as [pg.Pool, pg.Pool];
  });
  afterAll(async () => {
    await Promise.all([from.end(), to.end()]);
    await Promise.all(made.map((database) => database.drop()));
  });

  test("every table either moves, or stays for a reason", async () => {
    const named = [...MOVED_TABLES.map(({ table }) => table), ...Object.keys(STAYING_TABLES)];
    expect(named.toSorted()).toEqual(Object.keys(POSTGRES_TABLES).toSorted());
    const staying = Object.keys(STAYING_TABLES).filter((table) => "tenant" in POSTGRES_TABLES[table as Table].columns);
    expect(staying.toSorted()).toEqual(["alarms", "fanOuts", "presence"]);
  });

  test("has every column of every row there, and nothing here; other tenants keep theirs", async () => {
    await fillAll(from, "acme", 100);
    await fillAll(from, "globex", 300);
    // Other keys are given out there.
    await fillAll(to, "initech", 500);
    await from.query(`UPDATE ${TABLES.deliveries} SET lease_owner = NULL, lease_until = NULL`);
    await from.query(`UPDATE ${TABLES.digests} SET lease_owner = NULL, lease_until = NULL`);
    await from.query(`UPDATE ${TABLES.processingRecords} SET lease_owner = NULL, lease_until = NULL`);
    await from.query(`UPDATE ${TABLES.audiences} SET source = NULL`);
    const [before, others, there] = [
      await rowsOfTenant(from, "acme"),
      await rowsOfTenant(from, "globex"),
      await rowsOfTenant(to, "initech"),
    ];
    expect(Object.values(before).filter((rows) => rows.length !== 1)).toEqual([]);
    const states: string[] = [];
    const moved = await moveTenant({
      ...{ tenant: "acme", from, to },
      async switchOver() {
        states.push("switched");
        // Both have it, and nobody writes here any more.
        expect(await rowsOfTenant(to, "acme")).toEqual(before);
        await expect(from.query(`UPDATE ${TABLES.inboxCounters} SET total = 7 WHERE tenant = 'acme'`)).rejects.toMatchObject({
          code: "BF001",
        });
        await from.query(`UPDATE ${TABLES.inboxCounters} SET total = total WHERE tenant = 'globex'`);
        await expect(from.query(`DELETE FROM ${TABLES.deliveryAttempts}`)).rejects.toMatchObject({ code: "BF001" });
      },
    });
    expect([states, moved.rows]).toEqual([["switched"], MOVED_TABLES.length]);
    expect([await rowsOfTenant(to, "acme"), countOf(await rowsOfTenant(from, "acme"))]).toEqual([before, 0]);
    expect([await rowsOfTenant(from, "globex"), await rowsOfTenant(to, "initech")]).toEqual([others, there]);
    const attempts =
      "SELECT a.provider FROM belfry_delivery_attempts a JOIN belfry_deliveries d ON d.pk = a.delivery_pk WHERE d.tenant = $1";
    expect(await rowsOf(to, attempts, ["acme"])).toHaveLength(1);
    expect(await rowsOf(from, "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'belfry\\_moving%'")).toEqual([]);
    expect([await rowsOf(from, "SELECT * FROM belfry_moves"), await rowsOf(to, "SELECT * FROM belfry_moves")]).toEqual([[], []]);
  });

  test("long lists are copied in pages, in their order", async () => {
    const storage = postgresStorage(made[0]?.url ?? "", { logger: silent });
    cleanup(() => storage.close());
    await storage.open();
    await storage.inbox.createMany(
      Array.from({ length: 1_000 }, (_, at) => entry(["ann", `user${at % 3}`], { tenant: "pages", title: `number ${at}` })),
    );
    const list = async (pool: pg.Pool) =>
      rowsOf(
        pool,
        `SELECT i.user_id, i.seq, n.title FROM ${TABLES.inboxItems} i JOIN ${TABLES.notifications} n ON n.pk = i.notification_pk WHERE i.tenant = 'pages' ORDER BY 1, 2`,
      );
    const before = await list(from);
    expect((await moveTenant({ tenant: "pages", from, to, switchOver() {} })).rows).toBeGreaterThan(3_000);
    expect([await list(to), await list(from)]).toEqual([before, []]);
  });

  test("an interrupted copy goes on where it was; an interrupted switch is made again, and the copy is not touched", async () => {
    const before = await fillIdle(from, "interrupted", 1_000);
    // In the middle the process loses its lock, and the other database.
    const failing = interrupted(made[1]?.url ?? "", async () => {
      await endLock(from);
      await lost();
    });
    const first = moveTenant({ tenant: "interrupted", from, to: failing, switchOver: () => expect.unreachable() });
    await expect(first).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    await failing.end();
    expect(await stateIn(from, "interrupted")).toEqual(["frozen"]);
    expect(countOf(await rowsOfTenant(to, "interrupted"))).toBeGreaterThan(0);
    expect(countOf(await rowsOfTenant(from, "interrupted"))).toBe(countOf(before));

    const second = moveTenant({ tenant: "interrupted", from, to, switchOver: () => Promise.reject(new Error("no answer")) });
    await expect(second).rejects.toMatchObject({ code: "INVALID_STATE", message: expect.stringContaining("call moveTenant again") });
    await expect(abandonMove({ tenant: "interrupted", from, to })).rejects.toMatchObject({ code: "INVALID_STATE" });
    // A process that was told writes there.
    await to.query(`UPDATE ${TABLES.inboxCounters} SET total = 77 WHERE tenant = 'interrupted'`);
    const third = await moveTenant({ tenant: "interrupted", from, to, switchOver() {} });
    expect(third.rows).toBe(MOVED_TABLES.length);
    expect(countOf(await rowsOfTenant(from, "interrupted"))).toBe(0);
    expect(await rowsOf(to, `SELECT total FROM ${TABLES.inboxCounters} WHERE tenant = 'interrupted'`)).toEqual([{ total: "77" }]);
  });

  test("a process that lost its lock neither switches nor removes anything", async () => {
    const before = await fillIdle(from, "unlocked", 3_000);
    const locked = interrupted(made[1]?.url ?? "", () => endLock(from));
    const first = moveTenant({ tenant: "unlocked", from, to: locked, switchOver: () => expect.unreachable() });
    await expect(first).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    await locked.end();
    expect([await stateIn(from, "unlocked"), await stateIn(to, "unlocked")]).toEqual([["frozen"], ["copying"]]);
    expect([await rowsOfTenant(from, "unlocked"), await rowsOfTenant(to, "unlocked")]).toEqual([before, before]);
    await moveTenant({ tenant: "unlocked", from, to, switchOver() {} });
    expect([countOf(await rowsOfTenant(from, "unlocked")), await rowsOfTenant(to, "unlocked")]).toEqual([0, before]);
  });

  test("a tenant may be written again when the other database is lost, and its copy there is removed later", async () => {
    const before = await fillIdle(from, "stranded", 4_000);
    const failing = interrupted(made[1]?.url ?? "", lost);
    const options = { tenant: "stranded", from, to: failing };
    await expect(moveTenant({ ...options, switchOver: () => expect.unreachable() })).rejects.toMatchObject({ code: "STORAGE_UNAVAILABLE" });
    expect([await stateIn(from, "stranded"), await stateIn(to, "stranded")]).toEqual([["abandoned"], ["copying"]]);
    await from.query(`UPDATE ${TABLES.inboxCounters} SET total = total WHERE tenant = 'stranded'`);
    await from.query("UPDATE belfry_moves SET state = 'frozen' WHERE tenant = 'stranded'");
    await abandonMove(options);
    expect(await stateIn(from, "stranded")).toEqual(["abandoned"]);
    await failing.end();
    // What was copied is old by now.
    await from.query(`UPDATE ${TABLES.notifications} SET title = 'new' WHERE tenant = 'stranded'`);
    await moveTenant({ tenant: "stranded", from, to, switchOver() {} });
    expect(await rowsOf(to, `SELECT title FROM ${TABLES.notifications} WHERE tenant = 'stranded'`)).toEqual([{ title: "new" }]);
    expect(countOf(await rowsOfTenant(to, "stranded"))).toBe(countOf(before));
  });

  test("a move does not touch what another one has left: it names the databases to go on with", async () => {
    const before = await fillIdle(from, "twice", 5_000);
    const move = (options: object = {}) => moveTenant({ tenant: "twice", from, to, switchOver: () => expect.unreachable(), ...options });
    const notEnded = {
      code: "INVALID_STATE",
      message: expect.stringMatching(/has not ended: call moveTenant, or abandonMove, with the databases/),
    };
    const elsewhere = { code: "CONFIGURATION", message: expect.stringContaining("was to move to another database") };
    await expect(move({ switchOver: () => Promise.reject(new Error("no answer")) })).rejects.toMatchObject({ code: "INVALID_STATE" });
    expect([await stateIn(from, "twice"), await stateIn(to, "twice")]).toEqual([["switching"], ["arrived"]]);
    await expect(move({ from: to, to: from })).rejects.toMatchObject(notEnded);
    made.push(await migratedPostgres());
    const third = openPool(made[2]?.url ?? "");
    cleanup(() => third.end());
    await expect(move({ to: third })).rejects.toMatchObject(elsewhere);
    await expect(move({ from: third })).rejects.toMatchObject(notEnded);
    await expect(move({ from: to, to: third })).rejects.toMatchObject(notEnded);
    await abandonMove({ tenant: "twice", from: third, to });
    expect([await rowsOfTenant(from, "twice"), await rowsOfTenant(to, "twice")]).toEqual([before, before]);
    await move({ switchOver() {} });
    expect([countOf(await rowsOfTenant(from, "twice")), await rowsOfTenant(to, "twice")]).toEqual([0, before]);
  });

  test("the due rows of a tenant that moves do not keep others from their turn", async () => {
    await fillIdle(from, "starving", 6_000);
    await fillIdle(from, "patient", 6_100);
    const columns = Object.entries(POSTGRES_TABLES.deliveries.columns as Readonly<Record<string, ColumnSpec>>)
      .map(([field, column]) => columnName(field, column))
      .filter((name) => !["pk", "id", "recipient"].includes(name));
    const listed = columns.map((name) => `"${name}"`).join(", ");
    await from.query(
      `INSERT INTO ${TABLES.deliveries} (id, recipient, ${listed}) SELECT gen_random_uuid(), n::text, ${listed} FROM ${TABLES.deliveries}, generate_series(1, 200) n WHERE tenant = 'starving'`,
    );
    await from.query(
      `UPDATE ${TABLES.deliveries} SET status = 'pending', channel = 'email', due_at = now() - CASE tenant WHEN 'starving' THEN 2 ELSE 1 END * interval '1 hour' WHERE tenant IN ('starving', 'patient')`,
    );
    await from.query(`UPDATE ${TABLES.deliveries} SET status = 'waiting' WHERE tenant = 'starving' AND recipient = '1'`);
    const storage = postgresStorage(made[0]?.url ?? "", { logger: silent });
    cleanup(() => storage.close());
    await storage.open();
    const fairness = { perEndpoint: 100, channels: ["email"], exceptEndpoints: [], exceptTenants: [] };
    const request = { owner: "worker", at: new Date(), leaseMs: 60_000, limit: 50, ...fairness };
    await moveTenant({
      ...{ tenant: "starving", from, to },
      async switchOver() {
        const { leases } = storage.deliveries;
        expect((await leases.due(request)).map(({ tenant }) => tenant)).toEqual(["patient"]);
        expect((await leases.claim(request)).map(({ delivery }) => delivery.tenant)).toEqual(["patient"]);
        await from.query(`UPDATE ${TABLES.deliveries} SET lease_owner = NULL, lease_until = NULL WHERE tenant = 'patient'`);
        const named = await rowsOf<Lease>(
          from,
          `SELECT id, fence + 1 AS fence FROM ${TABLES.deliveries} WHERE status = 'pending' AND tenant IN ('starving', 'patient')`,
        );
        expect((await leases.claimNamed(named, request)).map(({ delivery }) => delivery.tenant)).toEqual(["patient"]);
        await from.query(
          `UPDATE ${TABLES.deliveries} SET status = 'waiting', lease_owner = NULL, lease_until = NULL WHERE tenant = 'patient'`,
        );
        const settled: string[] = [];
        await storage.deliveries.settle({ kind: "waiting", limit: 10 }, new Date(), (loaded) => {
          settled.push(...loaded.map(({ state }) => state.tenant));
          return { deliveries: [], attempts: [], sends: [], audit: [] };
        });
        expect(settled).toEqual(["patient"]);
      },
    });
  });

  test("what was deleted at once is settled for others while a tenant moves, and for it once it has moved", async () => {
    await fillIdle(from, "leaving", 7_000);
    await fillIdle(from, "settling", 7_100);
    const ours = "tenant IN ('leaving', 'settling')";
    await from.query(`UPDATE ${TABLES.inboxCounters} SET removed_up_to_seq = 2 ^ 50, removed_after_seq = NULL,
      removed_at = now() - CASE tenant WHEN 'leaving' THEN 2 ELSE 1 END * interval '1 hour' WHERE ${ours}`);
    await from.query(`UPDATE ${TABLES.inboxItems} i SET deleted_at = NULL, user_id = (SELECT user_id FROM ${TABLES.inboxCounters} WHERE tenant = i.tenant)
      WHERE ${ours}`);
    const [old, next] = made.slice(0, 2).map(({ url }) => postgresStorage(url, { logger: silent })) as [PostgresStorage, PostgresStorage];
    for (const storage of [old, next]) {
      cleanup(() => storage.close());
      await storage.open();
    }
    const leftIn = async (pool: pg.Pool) =>
      (
        await rowsOf<{ tenant: string }>(pool, `SELECT tenant FROM ${TABLES.inboxItems} WHERE ${ours} AND deleted_at IS NULL ORDER BY 1`)
      ).map(({ tenant }) => tenant);
    const settle = async ({ inbox }: PostgresStorage) => {
      while ((await inbox.settleRemoved({ after: null, limit: 10 })).next !== null) {}
    };
    await moveTenant({
      ...{ tenant: "leaving", from, to },
      async switchOver() {
        await settle(old);
        expect(await leftIn(from)).toEqual(["leaving"]);
      },
    });
    expect(await leftIn(to)).toEqual(["leaving"]);
    await settle(next);
    expect(await leftIn(to)).toEqual([]);
  });

  test("an idle connection that breaks does not end the process that moves", async () => {
    const pools = made.slice(0, 2).map(({ url }) => new pg.Pool({ connectionString: url })) as [pg.Pool, pg.Pool];
    await moveTenant({ tenant: "nobody", from: pools[0], to: pools[1], switchOver() {} });
    expect(pools.map((pool) => pool.listenerCount("error"))).toEqual([1, 1]);
    await Promise.all(pools.map((pool) => pool.end()));
  });

  test("a move that cannot be made leaves everything as it was: work that does not end, data there, other tables there, another mover", async () => {
    await fillAll(from, "refused", 2_000);
    await from.query(`UPDATE ${TABLES.audiences} SET source = NULL`);
    await from.query(`UPDATE ${TABLES.digests} SET lease_owner = NULL`);
    const before = await rowsOfTenant(from, "refused");
    const move = (options: object = {}) => moveTenant({ tenant: "refused", from, to, switchOver: () => expect.unreachable(), ...options });
    await expect(move({ drainMs: 50 })).rejects.toMatchObject({
      code: "INVALID_STATE",
      message: expect.stringMatching(/work under way after 50 ms \(deliveries in hand, handlers that run\)/),
    });
    await from.query(`UPDATE ${TABLES.inboxCounters} SET total = total WHERE tenant = 'refused'`);
    expect([await rowsOfTenant(from, "refused"), countOf(await rowsOfTenant(to, "refused"))]).toEqual([before, 0]);

    await to.query(`INSERT INTO ${TABLES.contentTokens} (tenant, token) VALUES ('refused', 1)`);
    await expect(move()).rejects.toMatchObject({
      code: "CONFIGURATION",
      message: expect.stringContaining("has data of such a tenant already"),
    });
    expect(countOf(await rowsOfTenant(to, "refused"))).toBe(1);

    await to.query("UPDATE belfry_migrations SET checksum = 'x' WHERE id = 3");
    await expect(move()).rejects.toMatchObject({ code: "CONFIGURATION", message: expect.stringContaining("other migrations") });

    const client = await from.connect();
    await client.query("SELECT pg_advisory_lock(hashtextextended('belfry_move refused', 0))");
    await expect(move()).rejects.toMatchObject({ code: "INVALID_STATE", message: expect.stringContaining("Another process moves") });
    client.release(true);
    expect(await rowsOfTenant(from, "refused")).toEqual(before);
  });
});
