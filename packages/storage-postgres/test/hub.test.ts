import { type HubEvent, systemClock, uuidV7 } from "@belfry/core";
import type { Pool, PoolClient } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PostgresStorage, postgresStorage } from "../src/index.ts";
import { fillTables, openPool, rowsOf, silent, useCleanup, useDatabase } from "./setup.ts";

const ids = uuidV7(systemClock);
const TENANT = "tenant 7";

function newEvent(fields: Partial<HubEvent> = {}): HubEvent {
  const { source, sender } = { source: "source 3", sender: "u1" };
  return { id: ids.next(), tenant: TENANT, source, sender, content: "", metadata: {}, receivedAt: new Date(), ...fields };
}

const now = () => new Date();
const newRecord = () => ({ id: ids.next(), handlerId: ids.next(), prompt: "p" });
const range = { limit: 20, offset: 10 };
const claim = (more: object = {}) => ({ owner: "w", at: now(), leaseMs: 60_000, limit: 10, exceptTenants: ["full"], ...more });
const lostLeases = { limit: 10, furthestMs: 60_000 };

/** Every operation of the hub, with each of its filters. */
const operations: Readonly<Record<string, (storage: PostgresStorage, id: string) => Promise<unknown>>> = {
  createEvents: ({ hub }, id) => hub.createEvents([newEvent(), newEvent({ id })], () => [newRecord()]),
  findEvents: ({ hub }, id) => hub.findEvents(TENANT, [id]),
  "listEvents of all": ({ hub }) => hub.listEvents(TENANT, range),
  "listEvents of a source": ({ hub }) => hub.listEvents(TENANT, { ...range, source: "source 3" }),
  "listEvents of a sender": ({ hub }) => hub.listEvents(TENANT, { ...range, sender: "u1" }),
  "listEvents of a source and a sender": ({ hub }) => hub.listEvents(TENANT, { ...range, source: "source 3", sender: "u1" }),
  listEventsSince: ({ hub }) =>
    hub.listEventsSince(TENANT, "source 3", { since: new Date(Date.now() - 1_000), limit: 10, bytes: 1_000_000 }),
  recordsOf: ({ hub }, id) => hub.recordsOf(TENANT, id),
  findRecords: ({ hub }, id) => hub.findRecords(TENANT, [id]),
  listSettledSince: ({ hub }) => hub.listSettledSince(TENANT, "source 3", { since: new Date(0), limit: 10, bytes: 1_000_000 }),
  acknowledgeEvent: ({ hub }, id) => hub.acknowledgeEvent(TENANT, id, { client: "c", at: now() }),
  upsertIdentity: ({ hub }) => {
    const identity = { id: ids.next(), tenant: TENANT, source: "source 3", sourceId: "u1", name: "n", metadata: null };
    return hub.upsertIdentity({ ...identity, createdAt: now(), updatedAt: now() });
  },
  findIdentity: ({ hub }, id) => hub.findIdentity(TENANT, id),
  findIdentityBySource: ({ hub }) => hub.findIdentityBySource(TENANT, "source 3", "u1"),
  "listIdentities of all": ({ hub }) => hub.listIdentities(TENANT, range),
  "listIdentities of a source": ({ hub }) => hub.listIdentities(TENANT, { ...range, source: "source 3" }),
  "listIdentities by name": ({ hub }) => hub.listIdentities(TENANT, { ...range, name: "n" }),
  "listIdentities of a source by name": ({ hub }) => hub.listIdentities(TENANT, { ...range, source: "source 3", name: "n" }),
  findHandler: ({ hub }, id) => hub.findHandler(TENANT, id),
  "listHandlers of all": ({ hub }) => hub.listHandlers(TENANT, range),
  "listHandlers of a source": ({ hub }) => hub.listHandlers(TENANT, { ...range, source: "source 3" }),
  updateHandler: ({ hub }, id) => hub.updateHandler(TENANT, id, { prompt: "p", at: now() }),
  deleteHandler: ({ hub }, id) => hub.deleteHandler(TENANT, id),
  "leases.claim": ({ hub }) => hub.leases.claim(claim({ exceptTenants: [] })),
  "leases.claim of few tenants": ({ hub }) =>
    hub.leases.claim(claim({ exceptTenants: Array.from({ length: 99 }, (_, index) => `tenant ${index}`) })),
  "leases.due": ({ hub }) => hub.leases.due({ at: now(), limit: 10, exceptTenants: [] }),
  "leases.claimNamed": ({ hub }, id) => hub.leases.claimNamed([{ id, fence: 1 }], claim({ exceptTenants: [] })),
  "leases.leasedTo": ({ hub }) => hub.leases.leasedTo("held"),
  "leases.renew": ({ hub }, id) => hub.leases.renew("w", [{ id, fence: 1 }], { at: now(), leaseMs: 1 }),
  endRecords: ({ hub }, id) => {
    const outcome = { status: "COMPLETED", result: "r", error: null, inputTokens: null, outputTokens: null, dueInMs: null } as const;
    return hub.endRecords("w", [{ id, fence: 1, ...outcome }], now());
  },
  "leases.lost": ({ hub }) => hub.leases.lost({ ...lostLeases, at: now() }),
  "leases.lost of others": ({ hub }) => hub.leases.lost({ ...lostLeases, at: now(), notOwnedBy: "another" }),
  "leases.nextDueInMs": ({ hub }) => hub.leases.nextDueInMs(now()),
};

interface Plan {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly Plans?: readonly Plan[];
}

/** The tables that a plan reads from one end to the other. The catalogue of triggers is as short as the schema is. */
function scansOf(plan: Plan): readonly string[] {
  const name = plan["Relation Name"] ?? "";
  const own = plan["Node Type"] === "Seq Scan" && name !== "pg_trigger" ? [name] : [];
  return [...own, ...(plan.Plans ?? []).flatMap(scansOf)];
}

describe("query plans of the hub over 200,000 records", () => {
  const database = useDatabase();
  const asked: { text: string; values: readonly unknown[] }[] = [];
  let pool: Pool;
  let storage: PostgresStorage;
  let id: string;

  beforeAll(async () => {
    pool = openPool(database.url, 4);
    storage = postgresStorage(pool, { logger: silent });
    await storage.open();
    await fillTables(pool, fill);
    await pool.query("VACUUM ANALYZE");
    const [event] = await rowsOf<{ id: string }>(pool, "SELECT id FROM belfry_notifications WHERE tenant = $1 LIMIT 1", [TENANT]);
    id = event?.id ?? "";
    const query = pool.query.bind(pool) as (config: unknown) => unknown;
    pool.query = ((config: { text: string; values: readonly unknown[] }) => {
      asked.push({ text: config.text, values: config.values });
      return query(config);
    }) as Pool["query"];
  }, 300_000);

  afterAll(async () => {
    await storage.close();
    await pool.end();
  });

  /** The plan of what was asked: for its values, or the one that is kept for all values. */
  async function planOf(text: string, values: readonly unknown[] | null): Promise<Plan> {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      const explain = values === null ? "EXPLAIN (GENERIC_PLAN, FORMAT JSON)" : "EXPLAIN (FORMAT JSON)";
      const { rows } = await client.query(`${explain} ${text}`, values === null ? [] : [...values]);
      await client.query("ROLLBACK");
      return (rows[0] as { "QUERY PLAN": { Plan: Plan }[] })["QUERY PLAN"][0]?.Plan as Plan;
    } finally {
      client.release();
    }
  }

  test.each(Object.entries(operations))("%s reads by key, whatever its values", async (_, operation) => {
    asked.length = 0;
    await operation(storage, id);
    const statements = asked.splice(0);
    expect(statements.length).toBeGreaterThan(0);
    for (const { text, values } of statements) {
      const plans = [await planOf(text, values), await planOf(text, null)];
      expect(plans.flatMap(scansOf), text).toEqual([]);
    }
  });
});

/** 100 tenants with 20 sources; 10,000 events with 20 records each; 20,000 identities and handlers. */
async function fill(client: PoolClient): Promise<void> {
  await client.query(
    `WITH n AS (
      INSERT INTO belfry_notifications (tenant, id, kind, type, title, message, data, source, sender, created_at)
      SELECT 'tenant ' || i % 100, gen_random_uuid(), 'event', 'notification', '', 'm', '{}', 'source ' || i / 100 % 20, 'u' || i / 2000,
        now() - i * interval '1 second' FROM generate_series(1, 10000) i RETURNING *),
    e AS (INSERT INTO belfry_events SELECT pk, tenant, source, sender, created_at FROM n)
    INSERT INTO belfry_processing_records
      (id, notification_pk, tenant, source, handler_id, prompt, status, attempt, created_at, completed_at, due_at, lease_owner, lease_until, fence)
    SELECT gen_random_uuid(), pk, tenant, source, gen_random_uuid(), 'p', s.status, 1, created_at, CASE WHEN s.status = 'COMPLETED' THEN now() END,
      CASE WHEN s.status <> 'COMPLETED' THEN created_at END, CASE WHEN s.status = 'PROCESSING' THEN 'held' END,
      CASE WHEN s.status = 'PROCESSING' THEN now() + interval '50 seconds' END, 1
    FROM n CROSS JOIN generate_series(1, 20) r
    CROSS JOIN LATERAL (SELECT CASE WHEN r < 19 THEN 'COMPLETED' WHEN r = 19 OR pk % 1000 > 0 THEN 'PENDING' ELSE 'PROCESSING' END AS status) s`,
  );
  await client.query(
    `INSERT INTO belfry_identities (id, tenant, source, source_id, source_digest, name, folded_name, metadata, created_at, updated_at)
    SELECT gen_random_uuid(), 'tenant ' || i % 100, 'source ' || i / 100 % 20, 'u' || i, encode(sha256(convert_to('u' || i, 'UTF8')), 'hex'), 'n', 'n',
      '{}', now(), now() FROM generate_series(1, 20000) i`,
  );
  await client.query(
    `INSERT INTO belfry_handlers (id, tenant, source, prompt, filter, created_at, updated_at)
    SELECT gen_random_uuid(), 'tenant ' || i % 100, 'source ' || i / 100 % 20, 'p', '{}', now(), now() FROM generate_series(1, 20000) i`,
  );
  await client.query(
    "INSERT INTO belfry_prompts (tenant, digest, text) SELECT 'tenant ' || i % 100, 'd' || i, 'p' FROM generate_series(1, 20000) i",
  );
}

describe("the hub in PostgreSQL", () => {
  const cleanup = useCleanup();
  const database = useDatabase();

  async function opened() {
    const storage = postgresStorage(database.url, { logger: silent });
    await storage.open();
    cleanup(() => storage.close());
    const pool = openPool(database.url, 1);
    cleanup(() => pool.end());
    return { hub: storage.hub, pool };
  }

  test("time is the database's: a service whose clock is an hour off delays no record and steals no live lease", async () => {
    const { hub } = await opened();
    const [ahead, behind] = [new Date(Date.now() + 3_600_000), new Date(Date.now() - 3_600_000)];
    const [[record] = []] = await hub.createEvents([newEvent({ receivedAt: ahead })], () => [newRecord()]);
    expect(Math.abs(Number(record?.createdAt) - Date.now())).toBeLessThan(1_800_000);
    expect(await hub.leases.nextDueInMs(behind)).toBe(0);
    const [claimed] = await hub.leases.claim(claim({ owner: "one", at: behind }));
    expect(claimed?.record).toMatchObject({ id: record?.id, status: "PROCESSING" });
    expect(await hub.leases.lost({ ...lostLeases, at: ahead })).toEqual([]);
    expect(await hub.leases.lost({ ...lostLeases, at: behind })).toEqual([]);
    const lease = { id: record?.id ?? "", fence: 1 };
    expect(await hub.leases.renew("one", [lease], { at: behind, leaseMs: 60_000 })).toEqual([lease]);
    expect(await hub.leases.lost({ ...lostLeases, at: ahead })).toEqual([]);
    const outcome = { status: "COMPLETED", result: "r", error: null, inputTokens: null, outputTokens: null, dueInMs: null } as const;
    const [settled] = await hub.endRecords("one", [{ ...lease, ...outcome }], ahead);
    expect(Math.abs(Number(settled?.completedAt) - Date.now())).toBeLessThan(1_800_000);
  });

  test("an acknowledgement keeps its first time, one for each client", async () => {
    const { hub, pool } = await opened();
    const event = newEvent();
    await hub.createEvents([event], () => []);
    for (const [client, time] of [
      ["one", 5_000],
      ["one", 3_000],
      ["two", 9_000],
    ] as const) {
      await hub.acknowledgeEvent(TENANT, event.id, { client, at: new Date(time) });
    }
    const acks = await rowsOf(
      pool,
      `SELECT a.client, extract(epoch FROM a.acknowledged_at)::int AS at FROM belfry_event_acks a
      JOIN belfry_notifications n ON n.pk = a.notification_pk WHERE n.id = $1 ORDER BY 1`,
      [event.id],
    );
    expect(acks).toEqual([
      { client: "one", at: 5 },
      { client: "two", at: 9 },
    ]);
  });

  test("nothing of an event is left when its notification goes", async () => {
    const { hub, pool } = await opened();
    const event = newEvent({ tenant: "going" });
    await hub.createEvents([event], () => [newRecord()]);
    await hub.acknowledgeEvent("going", event.id, { client: "one", at: now() });
    await pool.query("DELETE FROM belfry_notifications");
    for (const table of ["belfry_events", "belfry_event_acks", "belfry_processing_records"]) {
      expect(await rowsOf(pool, `SELECT count(*)::int FROM ${table}`)).toEqual([{ count: 0 }]);
    }
  });
});
