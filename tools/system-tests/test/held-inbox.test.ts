import { NotificationService } from "@belfry/core";
import { postgresStorage } from "@belfry/storage-postgres";
import type { Pool, PoolClient } from "pg";
import { describe, expect, test } from "vitest";
import { type CreateAnswer, CreatingHost } from "./creating-host.ts";
import { queryOf, wrongCounts } from "./recount.ts";
import { testDatabase } from "./test-database.ts";
import { useCleanup } from "./use-cleanup.ts";

const PROCESSES = 4;
const IN_FLIGHT = 64;
/** The creates for other users by each process, while the inbox is held. */
const OTHERS = 64;

const failuresOf = (answers: readonly CreateAnswer[]) => answers.flatMap(({ failure }) => failure ?? []);

/** How many connections wait for something that `client`'s transaction holds. */
async function waitingFor(client: PoolClient, pool: Pool): Promise<number> {
  const own = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  const { rows } = await pool.query<{ waiting: number }>(
    "SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = current_database() AND $1 = ANY (pg_blocking_pids(pid))",
    [own.rows[0]?.pid],
  );
  return rows[0]?.waiting ?? 0;
}

/** How many deadlocks PostgreSQL saw in this database. Ask after the writers are gone: it counts when a session ends. */
async function deadlocks(pool: Pool): Promise<number> {
  const sessions =
    "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'belfry%'";
  await expect.poll(async () => (await pool.query(sessions)).rows[0].count, { timeout: 30_000 }).toBe(0);
  const { rows } = await pool.query("SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()");
  return rows[0].deadlocks;
}

describe("a transaction of the host that holds a user's inbox while four processes create for that user", () => {
  const cleanup = useCleanup();

  async function start() {
    const { url, pool } = await testDatabase(cleanup);
    const notifications = new NotificationService({ storage: postgresStorage(pool) });
    cleanup(() => notifications.stop());
    await notifications.start();
    const hosts = Array.from({ length: PROCESSES }, () => new CreatingHost(url));
    cleanup(() => Promise.all(hosts.map((host) => host.stop())));
    await Promise.all(hosts.map((host) => host.ready()));
    const client = await pool.connect();
    cleanup(() => client.release(true));
    await client.query("BEGIN");
    return { pool, notifications, hosts, client };
  }

  /** Lets every process create for `to`, 64 at once; gives the answers and how many there are so far. */
  function createMany(hosts: readonly CreatingHost[], to: string | readonly string[], times: number) {
    let answered = 0;
    const answers = hosts.flatMap((host, process) =>
      Array.from({ length: times }, async (_, index) => {
        const answer = await host.create(to, `${to} ${process} ${index}`);
        answered += 1;
        return answer;
      }),
    );
    return { all: Promise.all(answers), answered: () => answered };
  }

  test("keeps only those creates waiting; all of them are written once it commits", async () => {
    const { pool, notifications, hosts, client } = await start();
    await notifications.create({ to: "held", title: "by the host" }, { tx: client });
    const held = createMany(hosts, "held", IN_FLIGHT);
    await expect.poll(() => waitingFor(client, pool), { timeout: 30_000 }).toBe(PROCESSES);

    // Some creates are for the held user and another one: they wait as a whole.
    const both = createMany(hosts, ["both", "held"], 4);
    const others = hosts.map((host, index) => createMany([host], `other ${index % 2}`, OTHERS));
    for (const { all } of others) {
      expect(failuresOf(await all)).toEqual([]);
    }
    expect([held.answered(), both.answered()]).toEqual([0, 0]);
    expect((await notifications.inbox("held").counts()).total).toBe(0);
    await client.query("COMMIT");

    expect(failuresOf(await held.all)).toEqual([]);
    expect(failuresOf(await both.all)).toEqual([]);
    const expected = PROCESSES * (IN_FLIGHT + 4) + 1;
    expect(await notifications.inbox("held").counts()).toMatchObject({ total: expected, unread: expected, lastSeq: expected });
    expect((await notifications.inbox("both").counts()).total).toBe(PROCESSES * 4);
    expect((await notifications.inbox("other 0").counts()).total).toBe((PROCESSES / 2) * OTHERS);
    expect(await wrongCounts(queryOf(pool))).toEqual([]);
    await Promise.all([...hosts.map((host) => host.stop()), notifications.stop()]);
    expect(await deadlocks(pool)).toBe(0);
  });

  test("that then takes another inbox, against Belfry's order, meets no deadlock", async () => {
    const { pool, notifications, hosts, client } = await start();
    await notifications.create({ to: "b", title: "by the host" }, { tx: client });
    const both = createMany(hosts, ["a", "b"], IN_FLIGHT);
    await expect.poll(() => waitingFor(client, pool), { timeout: 30_000 }).toBeGreaterThanOrEqual(PROCESSES);
    // A create for both takes "a" first. If it kept "a" while it waits for "b", nobody could go on.
    await notifications.create({ to: "a", title: "by the host" }, { tx: client });
    expect(both.answered()).toBe(0);
    await client.query("ROLLBACK");

    expect(failuresOf(await both.all)).toEqual([]);
    for (const user of ["a", "b"]) {
      expect((await notifications.inbox(user).counts()).total).toBe(PROCESSES * IN_FLIGHT);
    }
    expect(await wrongCounts(queryOf(pool))).toEqual([]);
    await Promise.all([...hosts.map((host) => host.stop()), notifications.stop()]);
    expect(await deadlocks(pool)).toBe(0);
  });
});
