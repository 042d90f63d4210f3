import { NotificationService, systemClock } from "@belfry/core";
import type { Migration } from "@belfry/core/storage";
import { recorder } from "@belfry/testkit/host";
import { drizzle } from "drizzle-orm/node-postgres";
import pg, { type Pool } from "pg";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";
import { moveTenant, partition, postgresStorage } from "../src/index.ts";
import { MIGRATIONS } from "../src/migrations/index.ts";
import { migrateLater } from "../src/migrations/migrate.ts";
import { BOUND } from "../src/partitions/layout.ts";
import { nextChange } from "../src/partitions/next-change.ts";
import { PartitionSteps } from "../src/partitions/partition-steps.ts";
import { openPool, rowsOf, silent, useCleanup } from "./setup.ts";

/** What takes seconds runs where the long tests do. */
const longTest = test.runIf(process.env.BELFRY_LONG);

const cleanup = useCleanup();
let url: string;
let pool: Pool;

beforeEach(async () => {
  const database = await migratedPostgres();
  url = database.url;
  pool = openPool(url);
  cleanup(async () => {
    await pool.end();
    await database.drop();
  });
});

/** Lets the next delivery have a key. */
async function reach(key: number): Promise<void> {
  await pool.query("SELECT setval(pg_get_serial_sequence('belfry_deliveries', 'pk'), $1)", [key - 1]);
}

/** Writes so many attempts of one delivery that PostgreSQL is not to read them under a lock. */
async function fill(key: number): Promise<void> {
  await pool.query(
    `INSERT INTO belfry_delivery_attempts (delivery_pk, attempt, status, started_at, finished_at, provider, is_transient)
    SELECT $1, n, 'failed', now(), now(), 'none', true FROM generate_series(1, 15000) n`,
    [key],
  );
}

/** The ranges of the partitions, in the order of their keys. */
async function ranges(): Promise<readonly string[]> {
  const rows = await rowsOf<{ range: string }>(
    pool,
    `SELECT pg_get_expr(relpartbound, oid) AS range FROM pg_class WHERE relispartition AND relkind = 'r' AND starts_with(relname, 'belfry_delivery_attempts')`,
  );
  const told = rows.map(({ range }) => range.replaceAll(/FOR VALUES FROM |[()']/g, ""));
  return told.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a.startsWith("MIN") ? -1 : 1));
}

/** How many attempts each partition has. */
async function attemptsIn(): Promise<Readonly<Record<string, number>>> {
  const rows = await rowsOf<{ part: string; count: number }>(
    pool,
    "SELECT tableoid::regclass::text AS part, count(*)::int AS count FROM belfry_delivery_attempts GROUP BY 1 ORDER BY 1",
  );
  return Object.fromEntries(rows.map(({ part, count }) => [part, count]));
}

/** A process that sends mail. */
async function startService() {
  const mails = recorder({ name: "email" });
  const storage = postgresStorage(pool, { logger: silent });
  const notifications = new NotificationService({ storage, channels: [mails], logger: silent });
  await notifications.start();
  cleanup(() => notifications.stop());
  const send = async (email: string) => {
    const { notification } = await notifications.create({ to: [{ email }], title: email });
    await expect.poll(async () => (await notifications.deliveries(notification.id)).deliveries[0]?.attempts).toHaveLength(1);
    return notification.id;
  };
  return { notifications, mails, send };
}

/** Removes deliveries that have ended, once: a service that is started sweeps by itself, at a time that nobody knows. */
async function sweepDeliveries(): Promise<void> {
  const storage = postgresStorage(pool, { logger: silent });
  const sweeping = new NotificationService({ storage, logger: silent, retention: { deliveriesMs: 0 } });
  await sweeping.sweep();
  await sweeping.stop();
}

/** Has storages look at once and often, not ten seconds after the start and then every ten minutes. */
function hurryUpkeep(): void {
  const after = systemClock.after.bind(systemClock);
  vi.spyOn(systemClock, "after").mockImplementation((delayMs, task, purpose) =>
    after([5_000, 10_000, 600_000].includes(delayMs) ? 20 : delayMs, task, purpose),
  );
  cleanup(() => vi.restoreAllMocks());
}

/** A statement of Belfry's. */
interface Asked {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The table as PostgreSQL describes it, but for its kind. */
function described() {
  return rowsOf(
    pool,
    `SELECT c.relacl::text, pg_get_userbyid(c.relowner),
      (SELECT json_agg(replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') ORDER BY i.indexrelid::regclass::text)
        FROM pg_index i WHERE i.indrelid = c.oid) AS indexes,
      (SELECT json_agg(json_build_array(conname, pg_get_constraintdef(k.oid)) ORDER BY conname) FROM pg_constraint k WHERE k.conrelid = c.oid) AS keys,
      (SELECT json_agg(json_build_array(attname, atttypid::regtype, attnotnull, attstorage) ORDER BY attname)
        FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns
    FROM pg_class c WHERE c.oid = 'belfry_delivery_attempts'::regclass`,
  );
}

describe("a table that is partitioned", () => {
  test("keeps its rows, keys, indexes, rights and owner, and is the first partition", async () => {
    const role = `belfry_reader_${process.pid}`;
    await pool.query(`CREATE ROLE ${role}`);
    cleanup(() => pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
    await pool.query(`GRANT SELECT, INSERT ON belfry_delivery_attempts TO ${role}`);
    // Tables that drizzle-kit makes have this key instead of a trigger.
    await pool.query(`ALTER TABLE belfry_delivery_attempts ADD CONSTRAINT belfry_delivery_attempts_delivery_pk_fkey
      FOREIGN KEY (delivery_pk) REFERENCES belfry_deliveries (pk) ON DELETE CASCADE`);
    const { notifications, send } = await startService();
    const sent = await send("ann@example.com");
    const before = await described();
    const tracked = await notifications.deliveries(sent);
    await partition(drizzle(pool), { deliveries: 1_000 });
    expect(await described()).toEqual(before);
    expect(await ranges()).toEqual(["MINVALUE TO 1000", "1000 TO MAXVALUE"]);
    expect(await attemptsIn()).toEqual({ belfry_delivery_attempts_p0: 1 });
    expect(await notifications.deliveries(sent)).toEqual(tracked);
    const rights = `SELECT has_table_privilege('${role}', 'belfry_delivery_attempts_p1000', 'SELECT') AS reads`;
    expect(await rowsOf(pool, rights)).toEqual([{ reads: true }]);
  });

  test("is not read under a lock: PostgreSQL sees from checks that its rows are in the range", async () => {
    const told: string[] = [];
    const telling = openPool(`${url}?options=${encodeURIComponent("-c client_min_messages=debug1")}`);
    cleanup(() => telling.end());
    telling.on("connect", (client) => client.on("notice", ({ message }) => told.push(message ?? "")));
    await fill(1);
    await partition(telling, { deliveries: 1_000 });
    await fill(2_100);
    await partition(telling, { deliveries: 1_000 });
    expect(await ranges()).toEqual(["MINVALUE TO 2000", "2000 TO 4000", "4000 TO MAXVALUE"]);
    const parts = ["p0", "p2000"].map(
      (part) => `partition constraint for table "belfry_delivery_attempts_${part}" is implied by existing constraints`,
    );
    expect(told.filter((line) => line.includes("partition constraint"))).toEqual(parts);
    // Indexes are built once for each partition, while it is empty.
    const built = told.flatMap((line) => /^building index .* on table "belfry_delivery_attempts_(\w+)"/.exec(line)?.[1] ?? []);
    expect(built).toEqual(["p2000", "p2000", "p4000", "p4000"]);
  });

  longTest("can be written all the time: nothing fails, is lost or comes twice", { timeout: 60_000 }, async () => {
    const { notifications, mails } = await startService();
    await fill(0);
    const accepted: string[] = [];
    const failures: unknown[] = [];
    let isLoaded = true;
    cleanup(() => {
      isLoaded = false;
    });
    const load = async (user: string) => {
      for (let number = 0; isLoaded; number += 1) {
        const email = `${user}-${number}@example.com`;
        await notifications.create({ to: [{ email }], title: email }).then(
          () => accepted.push(email),
          (error: unknown) => failures.push(error),
        );
      }
    };
    const loads = ["ann", "bob"].map(load);
    const more = async () => {
      const before = mails.tasks.length;
      await expect.poll(() => mails.tasks.length, { timeout: 20_000 }).toBeGreaterThan(before + 50);
    };
    await more();
    // Two hosts may ask at once.
    await Promise.all([partition(pool, { deliveries: 1_000 }), partition(pool, { deliveries: 1_000 })]);
    await more();
    await reach(3_500);
    await more();
    await partition(pool, { deliveries: 1_000 });
    await more();
    isLoaded = false;
    await Promise.all(loads);
    await expect.poll(() => mails.tasks.length, { timeout: 20_000 }).toBe(accepted.length);
    expect(mails.tasks.map(({ recipient }) => recipient).toSorted()).toEqual(accepted.toSorted());
    expect(failures).toEqual([]);
    await expect.poll(async () => Object.values(await attemptsIn()).reduce((sum, count) => sum + count, 0)).toBe(15_000 + accepted.length);
    expect(Object.keys(await attemptsIn()).length).toBeGreaterThan(1);
  });

  test("goes on where it was interrupted, and tries again while a transaction holds it", async () => {
    const { send } = await startService();
    await send("ann@example.com");
    await fill(0);
    const steps = new PartitionSteps(pool, "public");
    await steps.ask(1_000);
    const holder = await pool.connect();
    await holder.query("BEGIN; LOCK TABLE belfry_delivery_attempts IN ACCESS SHARE MODE");
    expect(await steps.next()).toBe("waited");
    // Others waited for a moment alone.
    await send("bob@example.com");
    await holder.query("COMMIT");
    holder.release();
    expect(await steps.next()).toBe("more");
    await send("cid@example.com");
    expect(await steps.next()).toBe("more");
    await send("dan@example.com");
    expect(await ranges()).toEqual([]);
    await partition(pool, { deliveries: 1_000 });
    expect(await ranges()).toEqual(["MINVALUE TO 2000", "2000 TO MAXVALUE"]);
    expect(await attemptsIn()).toEqual({ belfry_delivery_attempts_p0: 15_004 });
  });

  test("has a bound further ahead if keys have come near the one of an interrupted call", async () => {
    await fill(1);
    const steps = new PartitionSteps(pool, "public");
    await steps.ask(1_000);
    expect(await steps.next()).toBe("more");
    await reach(1_900);
    await partition(pool, { deliveries: 1_000 });
    expect(await ranges()).toEqual(["MINVALUE TO 4000", "4000 TO MAXVALUE"]);
  });

  test("has its bound taken away if it cannot be closed, and is not bound again before it can", async () => {
    await fill(1);
    const steps = new PartitionSteps(pool, "public");
    await steps.ask(1_000);
    const bounds = async () =>
      (await rowsOf<{ checked: boolean }>(pool, `SELECT convalidated AS checked FROM pg_constraint WHERE conname = '${BOUND}'`)).map(
        ({ checked }) => checked,
      );
    expect(await steps.next()).toBe("more");
    expect(await steps.next()).toBe("more");
    expect(await bounds()).toEqual([true]);
    await pool.query("CREATE VIEW report AS SELECT count(*) FROM belfry_delivery_attempts");
    for (const _ of ["as it closes", "before it binds"]) {
      await expect(steps.next()).rejects.toMatchObject({ code: "CONFIGURATION", message: expect.stringContaining("the view report") });
      expect(await bounds()).toEqual([]);
    }
    // An attempt of a delivery beyond.
    await fill(5_000);
    await pool.query("DROP VIEW report");
    await partition(pool, { deliveries: 1_000 });
    expect(await bounds()).toEqual([]);
    expect(await ranges()).toHaveLength(2);
  });

  test("does not keep a storage from stopping while its bound is checked", async () => {
    hurryUpkeep();
    await fill(1);
    const steps = new PartitionSteps(pool, "public");
    await steps.ask(1_000);
    expect(await steps.next()).toBe("more");
    // PostgreSQL cannot go on before this one ends, as if it read very many rows.
    const holder = await pool.connect();
    await holder.query("BEGIN; LOCK TABLE belfry_delivery_attempts IN SHARE UPDATE EXCLUSIVE MODE");
    const storage = postgresStorage(pool, { logger: silent });
    await storage.open();
    const checks =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%VALIDATE CONSTRAINT%' AND pid <> pg_backend_pid()";
    await expect.poll(() => rowsOf(pool, checks)).toHaveLength(1);
    await storage.close();
    // The server learns of it a moment later.
    await expect.poll(() => rowsOf(pool, checks)).toEqual([]);
    await holder.query("COMMIT");
    holder.release();
    await partition(pool, { deliveries: 1_000 });
    expect(await ranges()).toHaveLength(2);
  });

  test("is noted in a table that belongs to the same owner", async () => {
    const role = `belfry_owner_${process.pid}`;
    await pool.query(`CREATE ROLE ${role}; ALTER TABLE belfry_delivery_attempts OWNER TO ${role}`);
    cleanup(() => pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`));
    await new PartitionSteps(pool, "public").ask(1_000);
    expect(await rowsOf(pool, "SELECT tableowner FROM pg_tables WHERE tablename = 'belfry_partitions'")).toEqual([{ tableowner: role }]);
  });

  test("waits while an index of it is not valid", async () => {
    await pool.query(
      "CREATE INDEX own ON belfry_delivery_attempts (started_at); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'own'::regclass",
    );
    const steps = new PartitionSteps(pool, "public");
    await steps.ask(1_000);
    expect(await steps.next()).toBe("waited");
    await pool.query("DROP INDEX own");
    expect(await steps.next()).toBe("more");
  });

  test("is closed at its bound, or loses it where keys have come near, whether it is checked or not", () => {
    const open = { name: "belfry_delivery_attempts", from: null, before: null, bytes: 5_000_000 };
    const next = (last: number, isChecked: boolean) =>
      nextChange({ isPartitioned: false, open: { ...open, bound: { before: 2_000, isChecked } }, closed: [], last, given: last }, 1_000);
    expect([100, 1_750, 1_751, 2_500].map((last) => next(last, false)?.kind)).toEqual(["check", "check", "unbind", "unbind"]);
    expect([100, 1_750, 1_751, 2_500].map((last) => next(last, true)?.kind)).toEqual(["close", "close", "unbind", "unbind"]);
    expect(next(100, true)).toEqual({ kind: "close", before: 2_000 });
  });

  test("stays as it is while something of the host's depends on it, or a tenant moves", async () => {
    const refused = (message: RegExp) =>
      expect(partition(pool)).rejects.toMatchObject({ code: "CONFIGURATION", message: expect.stringMatching(message) });
    await pool.query("CREATE VIEW report AS SELECT count(*) FROM belfry_delivery_attempts");
    await refused(/the view report/);
    await pool.query("DROP VIEW report");
    for (const tables of ["TABLE belfry_delivery_attempts", "ALL TABLES", "TABLES IN SCHEMA public"]) {
      await pool.query(`CREATE PUBLICATION stream FOR ${tables}`);
      await refused(/the publication stream/);
      await pool.query("DROP PUBLICATION stream");
    }
    await pool.query("GRANT SELECT (attempt) ON belfry_delivery_attempts TO PUBLIC");
    await refused(/the rights on the column attempt/);
    await pool.query(
      "REVOKE SELECT (attempt) ON belfry_delivery_attempts FROM PUBLIC; ALTER TABLE belfry_delivery_attempts ENABLE ROW LEVEL SECURITY",
    );
    await refused(/row level security/);
    await pool.query(
      "ALTER TABLE belfry_delivery_attempts DISABLE ROW LEVEL SECURITY; CREATE UNIQUE INDEX own ON belfry_delivery_attempts (started_at)",
    );
    await refused(/the unique index own/);
    await pool.query("DROP INDEX own");
    await pool.query(`CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER belfry_moving_x BEFORE UPDATE ON belfry_deliveries FOR EACH ROW EXECUTE FUNCTION nothing('acme', 'refuse')`);
    await expect(partition(pool)).rejects.toMatchObject({ code: "INVALID_STATE", message: expect.stringContaining('"acme"') });
    await pool.query("DROP TRIGGER belfry_moving_x ON belfry_deliveries");
    expect(await rowsOf(pool, "SELECT to_regclass('belfry_partitions') AS asked")).toEqual([{ asked: null }]);
    await expect(partition(pool, { size: 7 } as never)).rejects.toMatchObject({ code: "CONFIGURATION" });
    for (const deliveries of [0, 999, 1_000.5, "10"]) {
      await expect(partition(pool, { deliveries: deliveries as number })).rejects.toMatchObject({ code: "CONFIGURATION" });
    }
  });
});

describe("partitions", () => {
  test("are made ahead, and dropped once their deliveries are gone, by the storages that are open", async () => {
    hurryUpkeep();
    await partition(pool, { deliveries: 1_000 });
    const { send } = await startService();
    await send("ann@example.com");
    await reach(1_400);
    await send("bob@example.com");
    await expect.poll(ranges).toEqual(["MINVALUE TO 1000", "1000 TO 2000", "2000 TO MAXVALUE"]);
    expect(await attemptsIn()).toEqual({ belfry_delivery_attempts_p0: 1, belfry_delivery_attempts_p1000: 1 });

    await sweepDeliveries();
    await expect.poll(ranges).toEqual(["1000 TO 2000", "2000 TO MAXVALUE"]);
    expect(await attemptsIn()).toEqual({});
    await send("cid@example.com");
    expect(await attemptsIn()).toEqual({ belfry_delivery_attempts_p1000: 1 });
  });

  test("stay while a transaction that is open may have a delivery of theirs", async () => {
    await partition(pool, { deliveries: 1_000 });
    const { notifications, send } = await startService();
    const host = await pool.connect();
    await host.query("BEGIN");
    await notifications.create({ to: [{ email: "ann@example.com" }], title: "Hello" }, { tx: host });
    await reach(1_400);
    await partition(pool, { deliveries: 1_000 });
    expect((await ranges())[0]).toBe("MINVALUE TO 1000");
    await host.query("COMMIT");
    host.release();
    await partition(pool, { deliveries: 1_000 });
    expect((await ranges())[0]).toBe("MINVALUE TO 1000");
    await expect.poll(attemptsIn).toEqual({ belfry_delivery_attempts_p0: 1 });
    await send("bob@example.com");
  });

  longTest("that are not looked up are not read: neither for the attempts of a notification, nor to write one", async () => {
    await partition(pool, { deliveries: 1_000 });
    const asked: Asked[] = [];
    const query = pool.query.bind(pool) as (...args: readonly unknown[]) => unknown;
    pool.query = ((...args: readonly [Asked]) => {
      asked.push(args[0]);
      return query(...args);
    }) as Pool["query"];
    const { notifications, send } = await startService();
    const sent = [await send("ann@example.com")];
    for (const key of [1_400, 2_400, 3_400]) {
      await reach(key);
      await partition(pool, { deliveries: 1_000 });
      sent.push(await send(`${key}@example.com`));
    }
    asked.length = 0;
    expect((await notifications.deliveries(sent[2] as string)).deliveries[0]?.attempts).toHaveLength(1);
    const [look, ...others] = asked.filter(({ text }) => text?.includes("belfry_delivery_attempts"));
    expect(others).toEqual([]);
    const literals = (look?.values ?? []).map((value) => pg.escapeLiteral(String(value)));
    for (const mode of ["force_custom_plan", "force_generic_plan"]) {
      const client = await pool.connect();
      await client.query(`SET plan_cache_mode = ${mode}; PREPARE look AS ${look?.text}`);
      const { rows } = await client.query<{ "QUERY PLAN": string }>(
        `EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE look(${literals.join()})`,
      );
      client.release(true);
      const scans = rows.map((row) => row["QUERY PLAN"]).filter((line) => line.includes("belfry_delivery_attempts_p"));
      const parts = (isRead: boolean) =>
        scans
          .filter((line) => !line.includes("never executed") === isRead)
          .join("\n")
          .match(/_p\d+/g);
      expect(parts(true)).toEqual(["_p2000"]);
      expect(parts(false)?.length).toBeGreaterThan(2);
    }
  });

  longTest("move with a tenant", async () => {
    const other = await migratedPostgres();
    const to = openPool(other.url);
    cleanup(async () => {
      await to.end();
      await other.drop();
    });
    await partition(to, { deliveries: 1_000 });
    const { notifications, send } = await startService();
    const first = await send("ann@example.com");
    await partition(pool, { deliveries: 1_000 });
    await reach(1_400);
    const tracked = await Promise.all([first, await send("bob@example.com")].map((id) => notifications.deliveries(id)));
    await moveTenant({ tenant: "default", from: pool, to, switchOver() {} });
    expect(await attemptsIn()).toEqual({});
    const there = postgresStorage(to, { logger: silent });
    await there.open();
    cleanup(() => there.close());
    const ids = tracked.map(({ deliveries }) => deliveries[0]?.notificationId ?? "");
    const moved = await there.deliveries.deliveriesOf("default", ids, { offset: 0, limit: 10 });
    expect(moved.map(({ attempts }) => attempts)).toEqual(tracked.map(({ deliveries }) => deliveries[0]?.attempts));
  });

  test("get the indexes of later versions, and lose them", async () => {
    await startService().then(({ send }) => send("ann@example.com"));
    await partition(pool, { deliveries: 1_000 });
    const name = "belfry_delivery_attempts_provider";
    const made: Migration = {
      phase: "outside",
      statements: [`DROP INDEX CONCURRENTLY IF EXISTS ${name}`, `CREATE INDEX CONCURRENTLY ${name} ON belfry_delivery_attempts (provider)`],
    };
    const indexes = () =>
      rowsOf(
        pool,
        `SELECT indexrelid::regclass::text AS index, indisvalid AS valid FROM pg_index WHERE pg_get_indexdef(indexrelid) LIKE '%(provider)' ORDER BY 1`,
      );
    const migrations = [...MIGRATIONS, made];
    await migrateLater(pool, { schema: "public", migrations });
    expect(await indexes()).toEqual([name, `${name}_p0`, `${name}_p1000`].map((index) => ({ index, valid: true })));
    // One that was interrupted between partitions begins again.
    await pool.query(`DELETE FROM belfry_migrations WHERE id = ${migrations.length}; DROP INDEX ${name}`);
    await pool.query(
      `CREATE INDEX ${name} ON ONLY belfry_delivery_attempts (provider); CREATE INDEX ${name}_p0 ON belfry_delivery_attempts_p0 (provider)`,
    );
    await migrateLater(pool, { schema: "public", migrations });
    expect(await indexes()).toEqual([name, `${name}_p0`, `${name}_p1000`].map((index) => ({ index, valid: true })));
    const dropped: Migration = { phase: "outside", statements: [`DROP INDEX CONCURRENTLY IF EXISTS ${name}`] };
    await migrateLater(pool, { schema: "public", migrations: [...migrations, dropped] });
    expect(await indexes()).toEqual([]);
  });
});
