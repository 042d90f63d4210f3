import { uuidV7 } from "@belfry/core";
import { COUNTED_ITEMS, type InboxQuery } from "@belfry/core/storage";
import type { Pool, PoolClient } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { blocksOf, type Plan, readWhole } from "./filled-plans.ts";
import { fillTables, openPool, silent, useDatabase } from "./setup.ts";

/** Of the largest inbox: it has to hold more than filters look at. */
const LARGE = process.env.BELFRY_LONG ? 1_000_000 : 100_000;
const SIZES = [10, 10_000, LARGE] as const;

describe(`query plans for inboxes of ${SIZES.join(", ")} items`, () => {
  const database = useDatabase();
  let pool: Pool;
  let storage: ReturnType<typeof postgresStorage>;
  let isRecording = false;
  const asked: { text: string; values: readonly unknown[] }[] = [];

  beforeAll(async () => {
    pool = openPool(database.url, 4);
    const record = (client: PoolClient) => {
      const query = client.query.bind(client) as (...args: unknown[]) => unknown;
      client.query = ((...args: [{ text: string; values: readonly unknown[] }, ...unknown[]]) => {
        const [config] = args;
        if (isRecording && Array.isArray(config.values)) {
          asked.push({ text: config.text, values: config.values });
        }
        return query(...args);
      }) as PoolClient["query"];
    };
    // Also within transactions; what the pool is asked, it asks a client.
    pool.on("connect", record);
    storage = postgresStorage(pool, { logger: silent });
    await storage.open();
    await fillTables(pool, async (client) => {
      for (const size of SIZES) {
        await fill(client, size);
      }
    });
    // Of a table with a few rows, reading all of it is the best plan.
    await pool.query(`INSERT INTO belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
      SELECT 'default', 'other_' || i, 1, 1, 1, 0, 'e' FROM generate_series(1, 20000) i`);
    await pool.query("INSERT INTO belfry_read_marks SELECT 'default', 'other_' || i, 1, now() FROM generate_series(1, 20000) i");
    await pool.query(`INSERT INTO belfry_inbox_changes (tenant, user_id, rev, last_seq, kind, at)
      SELECT 'default', 'other_' || i, 1, 1, 'read_all', i FROM generate_series(1, 20000) i`);
    await pool.query(`INSERT INTO belfry_choices (tenant, user_id, place, scope, name, channel, value, is_locked)
      SELECT 'default', 'user_' || i, md5(i::text), 'all', '', '', 'off', false FROM generate_series(1, 20000) i`);
    await pool.query("INSERT INTO belfry_settings (tenant, user_id) SELECT 'default', 'user_' || i FROM generate_series(1, 20000) i");
    await pool.query("INSERT INTO belfry_broadcast_numbers SELECT 'tenant_' || i, 1 FROM generate_series(1, 20000) i");
    await pool.query("ANALYZE");
  }, 300_000);

  afterAll(async () => {
    await storage.close();
    await pool.end();
  });

  /** Runs `work` and explains what it asked, as it was planned for its values. */
  async function plansOf(work: () => Promise<unknown>): Promise<readonly Plan[]> {
    asked.length = 0;
    isRecording = true;
    await work();
    isRecording = false;
    const statements = asked.splice(0);
    const client = await pool.connect();
    try {
      const plans: Plan[] = [];
      for (const { text, values } of statements) {
        await client.query("BEGIN");
        const { rows } = await client.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`, [...values]);
        await client.query("ROLLBACK");
        plans.push((rows[0] as { "QUERY PLAN": { Plan: Plan }[] })["QUERY PLAN"][0]?.Plan as Plan);
      }
      return plans;
    } finally {
      client.release();
    }
  }

  function expectKeys(plans: readonly Plan[]): void {
    expect(readWhole(plans)).toEqual([]);
    expect(plans.length).toBeGreaterThan(0);
  }

  const blocks = (plans: readonly Plan[]) => plans.reduce((sum, plan) => sum + blocksOf(plan), 0);
  const owner = (size: number) => ({ tenant: "default", userId: `user_${size}` });

  const lists: Readonly<Record<string, (size: number) => InboxQuery>> = {
    all: () => ({ status: "all", limit: 20 }),
    unread: () => ({ status: "unread", limit: 20 }),
    read: () => ({ status: "read", limit: 20 }),
    "of a type": () => ({ status: "all", type: "x", limit: 20 }),
    "deep by cursor": (size) => ({ status: "all", before: Math.ceil(size / 2) + 1, limit: 20 }),
    "by offset": () => ({ status: "all", offset: 5, limit: 20 }),
    archived: () => ({ status: "all", place: "archived", limit: 20 }),
    pinned: () => ({ status: "all", filter: { isPinned: true }, limit: 20 }),
    "back again": () => ({ status: "unread", filter: { wasSnoozed: true, isPinned: false }, limit: 20 }),
  };

  test.each(Object.entries(lists))("list %s reads by key in every size", async (name, queryOf) => {
    const read: number[] = [];
    // A list of one type counts what matches: of an inbox that is nearly the whole table, reading the table is the best plan.
    for (const size of name === "of a type" ? SIZES.slice(0, 2) : SIZES) {
      const plans = await plansOf(async () => storage.inbox.list(owner(size), queryOf(size)));
      expectKeys(plans);
      read.push(blocks(plans));
    }
    if (read[2] !== undefined) {
      expect(read[2]).toBeLessThan((read[1] ?? 0) * 2 + 50);
    }
  });

  test("filtered lists and counts look at 20,001 items at the most", async () => {
    for (const size of SIZES) {
      const filter = { types: ["x"], categories: { names: ["social"], types: ["x"] } };
      const plans = [
        ...(await plansOf(async () => storage.inbox.list(owner(size), { status: "all", filter, limit: 5 }))),
        ...(await plansOf(async () =>
          storage.inbox.tally(owner(size), { places: ["active"], withPriorities: false, limit: COUNTED_ITEMS + 1 }),
        )),
      ];
      expectKeys(size === LARGE ? plans : plans.slice(0, 1));
      expect(blocks(plans)).toBeLessThan(3_000);
    }
  });

  test("a page of a type that is rare, or not there, looks at 20,001 items at the most", async () => {
    const filter = { types: ["nowhere"] };
    for (const before of [undefined, LARGE / 2]) {
      const query = { status: "all", filter, limit: 5, ...(before === undefined ? {} : { before }) } as const;
      let rest: number | undefined;
      const plans = await plansOf(async () => {
        rest = (await storage.inbox.list(owner(LARGE), query)).rest;
      });
      expect(rest).toBe((before ?? LARGE + 1) - COUNTED_ITEMS - 1);
      expectKeys(plans);
      expect(blocks(plans)).toBeLessThan(3_000);
    }
  });

  test("a group that was emptied, and a key that was read, are not walked again", async () => {
    const mine = owner(LARGE);
    const [from, to] = [LARGE / 5, LARGE / 5 + 20_000];
    await pool.query(
      `UPDATE belfry_inbox_items SET group_name = 'emptied', replace_key = 'read', read_at = now(), deleted_at = CASE WHEN seq > $2 THEN now() END
      WHERE user_id = $1 AND seq > $3 AND seq <= $4`,
      [mine.userId, from + 10, from, to],
    );
    await pool.query(
      `INSERT INTO belfry_inbox_groups (tenant, user_id, group_name, newest_seq, total, unread, read_rev, actors)
      VALUES ('default', $1, 'emptied', 0, 0, 0, 0, '[]')`,
      [mine.userId],
    );
    const create = async () => {
      const notification = { ...NEW, id: uuid(), group: "emptied", replaceKey: "read" };
      const [items] = await storage.inbox.createMany([{ notification, recipients: [mine.userId] }]);
      return items?.[0]?.seq ?? 0;
    };
    const seq = await create();
    const plans = await plansOf(async () => {
      await storage.inbox.mark(mine, [{ seq }], { mark: "archived", at: new Date() });
      await storage.inbox.remove(mine, [{ seq: await create() }], new Date());
    });
    expectKeys(plans);
    expect(blocks(plans)).toBeLessThan(1_500);
  });

  test("a step through the items that match a filter looks at 1,000 items by key", async () => {
    for (const size of SIZES) {
      const step = { mark: "seen", at: new Date(), places: ["active"], after: Math.floor(size / 2), upTo: size } as const;
      const plans = await plansOf(() => storage.inbox.changeMatching(owner(size), { ...step, filter: { types: ["x"], isRead: false } }));
      expectKeys(plans);
      expect(blocks(plans)).toBeLessThan(1_500);
    }
  });

  test("a sweep that removes nothing reads by key, and a few items a step", async () => {
    const never = { readBefore: new Date(0), unreadBefore: new Date(0) };
    for (const after of [null, JSON.stringify([LARGE / 2, `user_${LARGE}`])]) {
      const kept = { ...never, at: new Date(), types: { x: never } };
      const plans = await plansOf(async () => {
        expect(await storage.inbox.sweep(kept, { after, limit: 20 })).toEqual({ removed: 0, next: null });
      });
      expectKeys(plans);
      expect(blocks(plans)).toBeLessThan(1_000);
    }
  });

  test("the preferences of a chunk of users are read by key", async () => {
    const users = Array.from({ length: 500 }, (_, index) => `user_${index * 50}`);
    const plans = await plansOf(() => storage.decisions.preferencesOf("default", users));
    expectKeys(plans);
    expect(plans).toHaveLength(1);
    expect(blocks(plans)).toBeLessThan(5_000);
  });

  test("everything else of an inbox reads by key in every size", async () => {
    for (const size of SIZES) {
      const at = new Date();
      const mine = owner(size);
      const [first] = (await storage.inbox.list(mine, { status: "all", limit: 1 })).items;
      const id = first?.id ?? "";
      const operations: Readonly<Record<string, () => Promise<unknown>>> = {
        listAfter: () => storage.inbox.listAfter(mine, size - 5, { limit: 20, bytes: 1_000_000 }),
        "listAfter, the next item alone": () => storage.inbox.listAfter(mine, size - 5, { limit: 1, bytes: 1_000_000 }),
        counts: async () => storage.inbox.counts(mine),
        "get by id": () => storage.inbox.get(mine, id),
        "get by number": () => storage.inbox.get(mine, { seq: 3 }),
        absence: () => storage.inbox.absence({ tenant: "default", userId: "nobody" }, id),
        positions: () => storage.inbox.positions([mine]),
        markRead: () => storage.inbox.markRead(mine, [id, { seq: 2 }], at),
        remove: () => storage.inbox.remove(mine, [{ seq: 4 }], at),
        archive: () => storage.inbox.mark(mine, [id, { seq: 3 }], { mark: "archived", at }),
        unarchive: () => storage.inbox.mark(mine, [id, { seq: 3 }], { mark: "unarchived", at }),
        snooze: () => storage.inbox.mark(mine, [{ seq: 5 }], { mark: "snoozed", at, until: at }),
        wake: () => storage.inbox.mark(mine, [{ seq: 5 }], { mark: "woken", at }),
        applyDue: () => storage.inbox.applyDue(mine, at),
        changesAfter: () => storage.inbox.changesAfter(mine, 0, 50),
        sweepChanges: () => storage.inbox.sweepChanges(new Date(1), { after: null, limit: 20 }),
        markAllSeen: () => storage.inbox.markAllSeen(mine, at),
      };
      for (const [name, operation] of Object.entries(operations)) {
        const plans = await plansOf(operation);
        expectKeys(plans);
        expect([name, size, blocks(plans) < 400]).toEqual([name, size, true]);
      }
    }
  });
});

const uuid = uuidV7({ now: () => Date.now(), after: () => () => undefined }).next;

const NEW = {
  ...({ tenant: "default", kind: "message", type: "y", title: "A title", message: "A message", data: {}, source: null } as const),
  ...({ actor: "ann", url: null, actions: null, priority: "normal", rendered: null, category: null, expiresAt: null } as const),
  createdAt: new Date(),
};

/** An inbox of `size` items, every tenth of them read. Ids rise, as Belfry's do. */
async function fill(client: PoolClient, size: number): Promise<void> {
  await client.query(
    `WITH n AS (
      INSERT INTO belfry_notifications (tenant, id, kind, type, title, message, data, created_at)
      SELECT 'default', (lpad(to_hex($1::int), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'message', CASE WHEN i % 100 = 0 THEN 'x' ELSE 'y' END, 'A title', 'A message', '{}', now()
      FROM generate_series(1, $1::int) i RETURNING pk, type)
    INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at, read_at)
    SELECT 'default', 'user_' || $1::int, s, pk, type, now(), CASE WHEN s % 10 = 0 THEN now() END FROM (SELECT row_number() OVER () AS s, pk, type FROM n) n`,
    [size],
  );
  await client.query(
    `INSERT INTO belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
    VALUES ('default', 'user_' || $1::int, $1::int, $1::int, $1::int - $1::int / 10, 0, 'e')`,
    [size],
  );
  // An empty table would be scanned, whatever its size may become.
  await client.query(
    `INSERT INTO belfry_inbox_groups (tenant, user_id, group_name, newest_seq, total, unread, read_rev, actors)
    SELECT 'default', 'user_' || $1::int, 'group ' || i, i, 1, 1, 0, '[]' FROM generate_series(1, least($1::int, 10000)) i`,
    [size],
  );
}
