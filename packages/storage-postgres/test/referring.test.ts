import { type Channel, NotificationService } from "@belfry/core";
import type pg from "pg";
import { describe, expect, test } from "vitest";
import { type PostgresStorage, postgresStorage } from "../src/index.ts";
import { entry, openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const WAIT = { timeout: 20_000, interval: 10 };
const PAUSE = 4_711;
const EVERYTHING = "DELETE FROM belfry_notifications";

/** Inboxes whose counts are not those of their items. */
const MISCOUNTED = `SELECT c.user_id, c.total, (SELECT count(*) FROM belfry_inbox_items i WHERE i.tenant = c.tenant AND i.user_id = c.user_id) AS items
  FROM belfry_inbox_counters c WHERE c.total <> (SELECT count(*) FROM belfry_inbox_items i WHERE i.tenant = c.tenant AND i.user_id = c.user_id)`;

/** Holds whoever has written items, attempts, deliveries or records, before the end of its transaction, for as long as somebody has the lock. */
const PAUSED = ["belfry_inbox_items", "belfry_delivery_attempts", "belfry_deliveries", "belfry_processing_records"];
const pausing = (tables: readonly string[]) => `CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    WHILE NOT pg_try_advisory_xact_lock_shared(${PAUSE}) LOOP PERFORM pg_sleep(0.01); END LOOP;
    RETURN NULL;
  END $$;
  ${tables.map((table) => `CREATE TRIGGER zz_pause AFTER INSERT ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION pause();`).join("\n")}`;

/** The tables whose rows go with their notification. */
const OF_NOTIFICATIONS = ["inbox_items", "trackings", "deliveries", "sends", "processing_records"].map((name) => `belfry_${name}`);

const mail: Channel = {
  name: "mail",
  retryDelaysMs: [],
  timeoutMs: 30_000,
  invalidRecipient: () => null,
  deliver: async () => ({ status: "sent", provider: "mail" }),
};

/** Rows whose notification, or delivery, is gone. */
const ORPHANS = [
  ...OF_NOTIFICATIONS.map(
    (table) =>
      `SELECT notification_pk FROM ${table} i WHERE NOT EXISTS (SELECT FROM belfry_notifications n WHERE n.pk = i.notification_pk)`,
  ),
  "SELECT a.delivery_pk FROM belfry_delivery_attempts a WHERE NOT EXISTS (SELECT FROM belfry_deliveries d WHERE d.pk = a.delivery_pk)",
].join(" UNION ALL ");

describe("rows that refer to others without a foreign key", () => {
  const cleanup = useCleanup();
  const database = useDatabase();

  async function opened(): Promise<{ readonly pool: pg.Pool; readonly storage: PostgresStorage; count(table: string): Promise<number> }> {
    const pool = openPool(database.url);
    cleanup(() => pool.end());
    const storage = postgresStorage(database.url, { logger: silent });
    await storage.open();
    cleanup(() => storage.close());
    await pool.query(
      `DELETE FROM belfry_fan_out_parts; DELETE FROM belfry_fan_outs; ${EVERYTHING}; DELETE FROM belfry_inbox_counters; DELETE FROM belfry_inbox_changes`,
    );
    return { pool, storage, count: async (table) => (await rowsOf(pool, `SELECT 1 FROM ${table}`)).length };
  }

  /** Runs `write` up to the moment before its commit; then begins `remove`, and lets the writer go on once it waits or has ended. */
  async function race(pool: pg.Pool, write: () => Promise<unknown>, remove: () => Promise<unknown>, tables = PAUSED) {
    const holder = await pool.connect();
    try {
      await holder.query(`${pausing(tables)} SELECT pg_advisory_lock(${PAUSE})`);
      const written = write();
      const paused = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
      await expect.poll(() => rowsOf(holder as never, paused), WAIT).toHaveLength(1);
      let isOver = false;
      const removed = Promise.allSettled([remove()]).then(([result]) => {
        isOver = true;
        return result;
      });
      const blocked = `SELECT 1 FROM pg_stat_activity a WHERE EXISTS (${paused} AND pid = ANY (pg_blocking_pids(a.pid)))`;
      await expect.poll(async () => isOver || (await rowsOf(holder as never, blocked)).length > 0, WAIT).toBe(true);
      await holder.query(`SELECT pg_advisory_unlock(${PAUSE})`);
      return [await written, await removed] as const;
    } finally {
      await holder.query("SELECT pg_advisory_unlock_all(); DROP FUNCTION pause() CASCADE");
      holder.release();
    }
  }

  test("a delete of notifications takes what belongs to them along, however it is made", async () => {
    const { pool, storage, count } = await opened();
    const notifications = new NotificationService({ storage, logger: silent });
    await notifications.trackFromContract({ to: "ann", message: "Hello" });
    await notifications.hub.handlers.create({ source: "shop", prompt: "Sum up." });
    await notifications.hub.events.create({ source: "shop", sender: "ann", content: "Paid." });
    await notifications.runDue();
    const kept = entry("ann");
    await storage.inbox.createMany([kept, entry(["bob", "cat"])]);
    const counts = () => Promise.all([...OF_NOTIFICATIONS, "belfry_delivery_attempts"].map(count));
    expect(await counts()).toEqual([4, 1, 1, 1, 1, 1]);
    await pool.query("DELETE FROM belfry_notifications WHERE id <> $1", [kept.notification.id]);
    expect(await counts()).toEqual([1, 0, 0, 0, 0, 0]);
    await expect(pool.query("TRUNCATE belfry_notifications")).rejects.toThrow(/truncate/);
    await pool.query("TRUNCATE belfry_notifications CASCADE");
    expect(await count("belfry_inbox_items")).toBe(0);
  });

  test("a transaction that keeps one snapshot may not delete them", async () => {
    const { pool, storage } = await opened();
    await storage.inbox.createMany([entry("ann")]);
    for (const level of ["REPEATABLE READ", "SERIALIZABLE"]) {
      await expect(pool.query(`BEGIN ISOLATION LEVEL ${level}; ${EVERYTHING}; COMMIT`)).rejects.toThrow(
        `Rows of belfry_notifications cannot be deleted in a transaction that is ${level}. Delete them in one that is READ COMMITTED.`,
      );
    }
  });

  const removers = {
    Belfry: async (storage: PostgresStorage, _: pg.Pool, id: string) => {
      const deletion = { limit: 100, at: new Date(), actor: "test" };
      return storage.activity.deleteNotification("acme", id, deletion);
    },
    "a host's DELETE": (_: PostgresStorage, pool: pg.Pool) => pool.query(EVERYTHING),
  };

  describe.each(Object.entries(removers))("%s, beside a writer that has not committed", (_, remove) => {
    test.each([
      ["one item", ["ann"]],
      ["several items", ["ann", "bob"]],
    ])("does not find the notification of a create of %s", async (_title, users) => {
      const { pool, storage, count } = await opened();
      const created = entry(users);
      await race(
        pool,
        async () => storage.inbox.createMany([created]),
        () => remove(storage, pool, created.notification.id),
      );
      expect([await count("belfry_notifications"), await count("belfry_inbox_items")]).toEqual([1, users.length]);
    });

    test.each([
      ["the last part", 2],
      ["a part", 1],
    ])("leaves no item of %s of a fan-out without its notification", async (_title, size) => {
      const { pool, storage, count } = await opened();
      const created = entry(["ann", "bob"]);
      await storage.inbox.createFanOut(created, size);
      const [chunk] = await race(
        pool,
        () => storage.inbox.fanOutNext(new Date()),
        () => remove(storage, pool, created.notification.id),
      );
      expect(chunk).toMatchObject({ items: expect.any(Array) });
      expect(await rowsOf(pool, ORPHANS)).toEqual([]);
      // It is deleted with its items, or refused.
      expect([
        [0, 0],
        [1, size],
      ]).toContainEqual([await count("belfry_notifications"), await count("belfry_inbox_items")]);
    });
  });

  describe.each(Object.entries(removers))("%s, beside a writer that has not committed,", (_, remove) => {
    test("leaves no delivery of a part of a large audience without its notification", async () => {
      const { pool, storage } = await opened();
      const notifications = new NotificationService({ storage, logger: silent, channels: [mail], delivery: { worker: false } });
      const to = Array.from({ length: 1_200 }, (_, index) => ({ mail: `${index}@example.com` }));
      const { notification } = await notifications.tenant("acme").create({ to, title: "Hello", message: "Hello" });
      await race(
        pool,
        () => notifications.runDue().catch(() => null),
        () => remove(storage, pool, notification.id),
      );
      expect(await rowsOf(pool, ORPHANS)).toEqual([]);
    });

    test("does not find the notification of an event", async () => {
      const { pool, storage, count } = await opened();
      const id = "01890000-0000-7000-8000-000000000001";
      const event = { id, tenant: "acme", source: "shop", sender: "ann", content: "Paid.", metadata: {}, receivedAt: new Date() };
      const record = { id: "01890000-0000-7000-8000-000000000002", handlerId: id, prompt: "Sum up." };
      await race(
        pool,
        () => storage.hub.createEvents([event], () => [record]),
        () => remove(storage, pool, id),
      );
      expect([await count("belfry_notifications"), await count("belfry_processing_records")]).toEqual([1, 1]);
    });
  });

  test.each([
    ["alone", undefined],
    ["of a group", "thread"],
  ])("an item %s that a scheduled send gets while Belfry deletes it is taken out of its inbox's counts", async (_title, group) => {
    const { pool, storage, count } = await opened();
    const notifications = new NotificationService({ storage, logger: silent, channels: [mail], delivery: { worker: false } });
    const later = { title: "Hello", scheduledAt: new Date(Date.now() + 3_600_000), ...(group === undefined ? {} : { group }) };
    const { notification } = await notifications.tenant("acme").create({ to: "ann", channels: ["inbox", "mail"], ...later });
    await race(
      pool,
      () => storage.deliveries.placeItems(notification, ["ann"], new Date()),
      () => notifications.tenant("acme").delete(notification.id),
    );
    expect([await count("belfry_notifications"), await count("belfry_inbox_items")]).toEqual([0, 0]);
    expect(await rowsOf(pool, ORPHANS)).toEqual([]);
    expect(await rowsOf(pool, MISCOUNTED)).toEqual([]);
  });

  test.each(["belfry_deliveries", "belfry_notifications"])("no attempt stays of a delivery that a delete of %s takes", async (table) => {
    const { pool, storage, count } = await opened();
    const notifications = new NotificationService({ storage, logger: silent });
    await notifications.trackFromContract({ to: "ann", message: "Hello" });
    await race(
      pool,
      () => notifications.runDue(),
      () => pool.query(`DELETE FROM ${table}`),
      ["belfry_delivery_attempts"],
    );
    expect([await count("belfry_deliveries"), await count("belfry_delivery_attempts")]).toEqual([0, 0]);
  });

  test.each([
    ["Belfry's deletes", false],
    ["a host's deletes, too,", true],
  ])("creates, fan-outs and %s over several connections leave no row without the one it refers to", async (_title, isByHand) => {
    const { pool, storage, count } = await opened();
    const users = Array.from({ length: 20 }, (_, index) => `user ${String(index).padStart(2, "0")}`);
    let made: string[] = [];
    const fanOut = async () => {
      const one = entry(users);
      await storage.inbox.createFanOut(one, 4);
      made.push(one.notification.id);
      while ((await storage.inbox.fanOutNext(new Date())) !== null) {}
    };
    const create = async () => {
      const one = entry(["user 03"]);
      made.push(one.notification.id);
      await storage.inbox.createMany([one, entry(["user 01", "user 02"])]);
    };
    const remove = async () => {
      for (const id of made) {
        for (let isDone = false; !isDone; ) {
          const step = await storage.activity.deleteNotification("acme", id, { limit: 7, at: new Date(), actor: "test" });
          isDone = step?.isDone ?? true;
        }
      }
    };
    for (let round = 0; round < 15; round += 1) {
      made = made.slice(-5);
      const byHand = isByHand ? pool.query(`${EVERYTHING} WHERE pk % 3 = 0`).catch(() => null) : null;
      await Promise.all([fanOut(), create(), remove(), create(), byHand, fanOut(), remove()]);
    }
    expect(await count("belfry_inbox_items")).toBeGreaterThan(0);
    expect(await rowsOf(pool, ORPHANS)).toEqual([]);
    if (!isByHand) {
      expect(await rowsOf(pool, MISCOUNTED)).toEqual([]);
    }
  });
});
