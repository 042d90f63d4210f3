import { randomUUID } from "node:crypto";
import type { ItemPlace } from "@belfry/core/storage";
import type { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { nodesOf, type Plan } from "./filled-plans.ts";
import { entry, fillTables, openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

/** How many items an inbox has in the end, when the plans are still those of an inbox with a few. */
const ITEMS = 20_000;
/** How many of them a call names. */
const NAMED = 100;
/** How many deliveries are due then. */
const DUE = 20_000;
const OWNER = { tenant: "acme", userId: "ann" };

interface Prepared {
  readonly name: string;
  readonly parameters: number;
}

const database = useDatabase();
const cleanup = useCleanup();

/**
 * A connection may keep plans for weeks: after a few runs PostgreSQL makes one for any values, and keeps it until the tables are
 * analysed. Here it makes them at once, while there are a few rows.
 */
describe("plans that a connection keeps from when the tables were small", () => {
  let pool: Pool;
  let storage: ReturnType<typeof postgresStorage>;

  beforeAll(async () => {
    pool = openPool(`${database.url}?options=${encodeURIComponent("-c plan_cache_mode=force_generic_plan")}`, 1);
    storage = postgresStorage(pool, { logger: silent });
    await storage.open();
  });

  afterAll(async () => {
    await storage.close();
    await pool.end();
  });

  /** The plans that the connection keeps for Belfry's statements whose name begins so. */
  async function keptPlans(name: string): Promise<readonly Plan[]> {
    const statements = await rowsOf<Prepared>(
      pool,
      "SELECT name, cardinality(parameter_types) AS parameters FROM pg_prepared_statements WHERE name LIKE $1 ORDER BY name",
      [`belfry_${name}%`],
    );
    const plans: Plan[] = [];
    for (const { name: prepared, parameters } of statements) {
      const nulls = parameters === 0 ? "" : `(${Array(parameters).fill("NULL").join()})`;
      const [row] = await rowsOf<{ readonly "QUERY PLAN": readonly { readonly Plan: Plan }[] }>(
        pool,
        `EXPLAIN (FORMAT JSON) EXECUTE ${prepared}${nulls}`,
      );
      plans.push(...(row?.["QUERY PLAN"] ?? []).map(({ Plan }) => Plan));
    }
    expect(plans.length).toBeGreaterThan(0);
    return plans;
  }

  const comparing = (plans: readonly Plan[]) => plans.flatMap(nodesOf).flatMap(comparedLists);

  const range = (length: number, first: number) => Array.from({ length }, (_, index) => ({ seq: first + index }));

  /** Changes the items of an inbox in each way that takes a list. */
  async function changeItems(first: number): Promise<void> {
    const at = new Date();
    const refs = range(NAMED, first);
    const places: readonly ItemPlace[] = ["active"];
    await storage.inbox.markRead(OWNER, refs, at);
    for (const mark of ["unread", "seen", "archived", "unarchived", "pinned", "unpinned"] as const) {
      await storage.inbox.mark(OWNER, refs, { mark, at });
    }
    await storage.inbox.mark(OWNER, refs, { mark: "snoozed", at, until: new Date(Date.now() + 60_000) });
    await storage.inbox.mark(OWNER, refs, { mark: "woken", at });
    await storage.inbox.remove(OWNER, refs, at);
    for (const mark of ["read", "seen"] as const) {
      await storage.inbox.changeMatching(OWNER, { mark, at, places, after: first, upTo: first + ITEMS, filter: { types: ["note"] } });
    }
  }

  test("a create for many users numbers its items without comparing them with all counters", async () => {
    await storage.inbox.createMany([entry(["ann", "bob"])]);
    await storage.inbox.createMany([entry(["ann", "bob"]), entry("bob", { tenant: "other" })]);
    expect(comparing(await keptPlans("write_entries"))).toEqual([]);
  });

  test("a batch of creates numbers its items without comparing them with all counters", async () => {
    await storage.inbox.createMany([entry("ann"), entry(["ann", "bob"])]);
    await storage.inbox.createMany([entry("ann"), entry("bob")]);
    await storage.inbox.createMany([entry("ann", { category: "social" }), entry("bob")]);
    expect(comparing(await keptPlans("write_batch"))).toEqual([]);
  });

  test("named items of an inbox that has grown since are found by key", async () => {
    await changeItems(1);
    expect(comparing(await keptPlans("mark_"))).toEqual([]);
    expect(comparing(await keptPlans("change_matching"))).toEqual([]);
    await fillTables(pool, async (client) => {
      await client.query(
        `INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)
        SELECT $1, $2, i, 1000000 + i, 'note', now() FROM generate_series(100, $3::int) i`,
        [OWNER.tenant, OWNER.userId, ITEMS],
      );
      await client.query("UPDATE belfry_inbox_counters SET last_seq = $3, total = $3, unread = $3 WHERE tenant = $1 AND user_id = $2", [
        OWNER.tenant,
        OWNER.userId,
        ITEMS,
      ]);
    });
    const before = await rowsRead("belfry_inbox_items");
    await changeItems(1_000);
    const after = await rowsRead("belfry_inbox_items");
    // Each call reads the rows that it changes a few times. Some calls may look at a thousand items, but none at the whole inbox.
    expect(after - before).toBeLessThan(ITEMS);
  });

  test("claims past a tenant, or an endpoint, that has a great many due, and claims by name, read a few rows", async () => {
    const at = new Date(Date.now() + 60_000);
    const request = { owner: "worker", at, leaseMs: 60_000, limit: 10, perEndpoint: 10, channels: ["email"], exceptTenants: ["other"] };
    const claims = [
      { ...request, exceptTenants: [], exceptEndpoints: [] },
      { ...request, exceptTenants: ["acme"], exceptEndpoints: [] },
      { ...request, exceptEndpoints: [{ channel: "email", recipient: "user 1" }] },
    ];
    const claimAll = async () => {
      for (const claim of claims) {
        for (const leases of [storage.deliveries.leases, storage.hub.leases]) {
          const named = [...(await leases.due(claim)), { id: randomUUID(), fence: 1 }];
          await leases.claimNamed(named, claim);
          await leases.claim(claim);
        }
      }
    };
    await claimAll();
    await fillTables(pool, async (client) => {
      // One tenant has nearly all.
      const tenant = "CASE WHEN i % 1000 = 0 THEN 'other' ELSE 'acme' END";
      const dueAt = "now() - interval '1 day' + i * interval '1 millisecond'";
      await client.query(
        `INSERT INTO belfry_deliveries (id, notification_pk, tenant, channel, recipient, chain, is_fallback, status, attempt, attempts_before, due_at, fence)
        SELECT gen_random_uuid(), 1000000 + i, ${tenant}, 'email', 'user ' || i % 100, 0, false, 'pending', 0, 0, ${dueAt}, 0 FROM generate_series(1, $1::int) i`,
        [DUE],
      );
      await client.query(
        `INSERT INTO belfry_processing_records (id, notification_pk, tenant, source, handler_id, prompt, status, attempt, created_at, due_at, fence)
        SELECT gen_random_uuid(), 1000000 + i, ${tenant}, 'shop', gen_random_uuid(), 'What now?', 'PENDING', 0, now(), ${dueAt}, 0
        FROM generate_series(1, $1::int) i`,
        [DUE],
      );
    });
    const read = async () => (await rowsRead("belfry_deliveries")) + (await rowsRead("belfry_processing_records"));
    const before = await read();
    await claimAll();
    const after = await read();
    expect(after - before).toBeLessThan(DUE / 4);
  });

  /** How many rows of a table the connections have read so far, by an index or not. */
  async function rowsRead(table: string): Promise<number> {
    await pool.query("SELECT pg_stat_force_next_flush()");
    const [row] = await rowsOf<{ readonly read: string }>(
      pool,
      `SELECT t.seq_tup_read + coalesce((SELECT sum(i.idx_tup_read) FROM pg_stat_user_indexes i WHERE i.relid = t.relid), 0) AS read
      FROM pg_stat_user_tables t WHERE t.relname = $1`,
      [table],
    );
    return Number(row?.read);
  }
});

test("a connection keeps a plan for what is asked about a single item or inbox, and does not plan each call", async () => {
  const pool = openPool(database.url, 1);
  cleanup(() => pool.end());
  const storage = postgresStorage(pool, { logger: silent });
  await storage.open();
  cleanup(() => storage.close());
  const [items] = await storage.inbox.createMany([entry("bob")]);
  const [{ seq } = { seq: 0 }] = items ?? [];
  const owner = { tenant: "acme", userId: "bob" };
  for (let call = 0; call < 8; call += 1) {
    await storage.inbox.markRead(owner, [{ seq }], new Date());
    await storage.inbox.mark(owner, [{ seq }], { mark: "archived", at: new Date() });
    await storage.inbox.mark(owner, [{ seq }], { mark: "unarchived", at: new Date() });
    await storage.inbox.positions([owner]);
  }
  const planned = await rowsOf<{ readonly name: string; readonly custom: string }>(
    pool,
    "SELECT name, custom_plans AS custom FROM pg_prepared_statements WHERE name ~ '^belfry_(mark_|positions)'",
  );
  expect(planned.map(({ custom }) => Number(custom))).toEqual([5, 5, 5, 5]);
});

/** What a nested loop compares on each row of one list with each of another, if it compares numbers of items, or users. */
function comparedLists(node: Plan & { readonly "Join Filter"?: string }): readonly string[] {
  const filter = node["Join Filter"] ?? "";
  return node["Node Type"] === "Nested Loop" && /\.(seq|user_id|id)\)? = /.test(filter) && !filter.includes("noted") ? [filter] : [];
}
