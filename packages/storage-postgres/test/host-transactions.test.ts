import { NotificationService } from "@belfry/core";
import { drizzle } from "drizzle-orm/node-postgres";
import type { Pool, PoolClient } from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type PostgresTransaction, postgresStorage } from "../src/index.ts";
import { openPool, rowsOf, silent, useDatabase } from "./setup.ts";

const WAIT = { timeout: 20_000, interval: 10 };

describe("the host's transactions", () => {
  const database = useDatabase();
  let pool: Pool;
  let storage: ReturnType<typeof postgresStorage>;
  let service: NotificationService<Record<string, never>, PostgresTransaction, Promise<void>>;
  const told: string[] = [];

  beforeAll(async () => {
    pool = openPool(database.url);
    storage = postgresStorage(pool, { logger: silent });
    service = new NotificationService({ storage, logger: silent });
    await service.start();
    await pool.query("CREATE TABLE orders (id serial PRIMARY KEY, customer text NOT NULL)");
    service.on("notification.created", ({ notification }) => told.push(notification.title));
  });
  afterAll(async () => {
    await service.stop();
    await pool.end();
  });

  async function withClient<Result>(work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await pool.connect();
    try {
      return await work(client);
    } finally {
      client.release();
    }
  }

  const titles = async (user: string) => (await service.inbox(user).list()).items.map(({ title }) => title);

  test("an order and its notification are committed together, and told of after the commit", async () => {
    await withClient(async (client) => {
      await client.query("BEGIN");
      await client.query("INSERT INTO orders (customer) VALUES ('ann')");
      await service.create({ to: "ann", title: "with the order" }, { tx: client });
      expect([await titles("ann"), told]).toEqual([[], []]);
      await client.query("COMMIT");
    });
    expect(await titles("ann")).toEqual(["with the order"]);
    await expect.poll(() => told, WAIT).toEqual(["with the order"]);
  });

  test("snoozed items of an inbox that a transaction holds are left as they are, without a wait, and woken after it", async () => {
    const { tenant } = (await service.create({ to: "zoe", title: "put off" })).notification;
    const { inbox } = storage;
    const [zoe, at] = [{ tenant, userId: "zoe" }, new Date(Date.now() + 3_600_000)];
    await inbox.mark(zoe, [{ seq: 1 }], { mark: "snoozed", at: new Date(), until: at });
    await withClient(async (client) => {
      await client.query("BEGIN");
      await service.create({ to: "zoe", title: "with the order" }, { tx: client });
      expect(await inbox.applyDue(zoe, at)).toBeNull();
      await client.query("COMMIT");
    });
    expect(await inbox.counts(zoe)).toMatchObject({ total: 1, dueAt: at });
    expect((await inbox.applyDue(zoe, at))?.woken.changed).toEqual(new Set([1]));
  });

  test("a rollback removes both, and no listener is called", async () => {
    const before = told.length;
    const work = drizzle(pool).transaction(async (tx) => {
      await service.create({ to: "bob", title: "never" }, { tx });
      throw new Error("refused");
    });
    await expect(work).rejects.toThrow("refused");
    await service.create({ to: "bob", title: "later" });
    expect(await titles("bob")).toEqual(["later"]);
    await expect.poll(() => told.slice(before), WAIT).toEqual(["later"]);
  });

  test("a rollback to a savepoint keeps earlier writes and undoes later ones", async () => {
    await withClient(async (client) => {
      await client.query("BEGIN");
      await service.create({ to: "cat", title: "before" }, { tx: client });
      await client.query("SAVEPOINT here");
      await service.create({ to: "cat", title: "after" }, { tx: client });
      await client.query("ROLLBACK TO here");
      await client.query("COMMIT");
    });
    expect(await titles("cat")).toEqual(["before"]);
    await expect.poll(() => told.includes("before"), WAIT).toBe(true);
    expect(told).not.toContain("after");
  });

  test("a nested transaction of drizzle commits with the outer one", async () => {
    await drizzle(pool).transaction(async (tx) => {
      await tx.transaction(async (inner) => {
        await service.create({ to: "dan", title: "inner" }, { tx: inner });
      });
      expect(await titles("dan")).toEqual([]);
    });
    expect(await titles("dan")).toEqual(["inner"]);
  });

  test("a notification that was prepared first is written later, also to many users", async () => {
    const to = Array.from({ length: 2_500 }, (_, index) => `user ${index}`);
    const batch = await service.prepare({ to, title: "to all" });
    await drizzle(pool).transaction((tx) => batch.write(tx));
    await vi.waitFor(async () => expect(await titles("user 2499")).toEqual(["to all"]), { timeout: 20_000 });
  });

  test("a send is delivered after the commit, and never without one", async () => {
    const rolledBack = drizzle(pool).transaction(async (tx) => {
      await service.create({ to: "eve", message: "never", scheduledAt: new Date() }, { tx });
      throw new Error("refused");
    });
    await expect(rolledBack).rejects.toThrow("refused");
    const { notification } = await drizzle(pool).transaction((tx) =>
      service.create({ to: "eve", message: "sent", scheduledAt: new Date() }, { tx }),
    );
    await expect.poll(async () => (await service.get(notification.id)).status, WAIT).toBe("sent");
    expect((await service.list({ recipient: "eve" })).total).toBe(1);
  });

  test("handles that are no open transaction are refused before anything is written", async () => {
    const finished = await drizzle(pool).transaction(async (tx) => tx);
    await withClient(async (client) => {
      const refused: readonly [string, unknown][] = [
        ["a pool", pool],
        ["a drizzle database", drizzle(pool)],
        ["a client without a transaction", client],
        ["a transaction that is over", finished],
        ["another dialect's handle", { prepare: () => {}, inTransaction: true, open: true }],
        ["nothing", null],
      ];
      for (const [name, tx] of refused) {
        const create = service.create({ to: "fay", title: name }, { tx: tx as PostgresTransaction });
        await expect(create, name).rejects.toMatchObject({ code: "WRONG_TRANSACTION" });
      }
    });
    expect(await titles("fay")).toEqual([]);
  });

  test("a transaction that has failed is refused, and can be rolled back", async () => {
    await withClient(async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT nonsense").catch(() => undefined);
      await expect(service.create({ to: "gil", title: "x" }, { tx: client })).rejects.toMatchObject({ code: "WRONG_TRANSACTION" });
      await client.query("ROLLBACK");
    });
    expect(await titles("gil")).toEqual([]);
  });

  test("a connection lost in the middle leaves nothing", async () => {
    const client = await pool.connect();
    client.on("error", () => undefined);
    await client.query("BEGIN");
    await service.create({ to: "hal", title: "lost" }, { tx: client });
    const [{ pid } = { pid: 0 }] = (await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows;
    await rowsOf(pool, "SELECT pg_terminate_backend($1)", [pid]);
    await expect(client.query("COMMIT")).rejects.toThrow();
    client.release(true);
    expect(await titles("hal")).toEqual([]);
    expect(told).not.toContain("lost");
  });
});
