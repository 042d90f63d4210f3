import { type HubEvent, systemClock, uuidV7 } from "@belfry/core";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, test } from "vitest";
import { type SqliteStorage, sqliteStorage } from "../src/index.ts";
import { useCleanup } from "./setup.ts";

const ids = uuidV7(systemClock);
const TENANT = "acme";

function newEvent(fields: Partial<HubEvent> = {}): HubEvent {
  const { source, sender } = { source: "mail", sender: "u1" };
  return { id: ids.next(), tenant: TENANT, source, sender, content: "", metadata: {}, receivedAt: new Date(), ...fields };
}

const now = () => new Date();
const claim = (limit = 10) => ({ owner: "w", at: now(), leaseMs: 60_000, limit, exceptTenants: ["full"] });
const lostLeases = () => ({ at: now(), limit: 10, furthestMs: 60_000 });
const range = { limit: 20, offset: 10 };

/** Every operation of the hub, with each of its filters. */
const operations: Readonly<Record<string, (storage: SqliteStorage, id: string) => Promise<unknown>>> = {
  createEvents: ({ hub }, id) => hub.createEvents([newEvent(), newEvent({ id })], () => [{ id: ids.next(), handlerId: "h", prompt: "p" }]),
  findEvents: ({ hub }, id) => hub.findEvents(TENANT, [id]),
  "listEvents of all": ({ hub }) => hub.listEvents(TENANT, range),
  "listEvents of a source": ({ hub }) => hub.listEvents(TENANT, { ...range, source: "mail" }),
  "listEvents of a sender": ({ hub }) => hub.listEvents(TENANT, { ...range, sender: "u1" }),
  "listEvents of a source and a sender": ({ hub }) => hub.listEvents(TENANT, { ...range, source: "mail", sender: "u1" }),
  listEventsSince: ({ hub }) => hub.listEventsSince(TENANT, "mail", { since: new Date(0), limit: 10, bytes: 1_000_000 }),
  recordsOf: ({ hub }, id) => hub.recordsOf(TENANT, id),
  findRecords: ({ hub }, id) => hub.findRecords(TENANT, [id]),
  listSettledSince: ({ hub }) => hub.listSettledSince(TENANT, "mail", { since: new Date(0), limit: 10, bytes: 1_000_000 }),
  acknowledgeEvent: ({ hub }, id) => hub.acknowledgeEvent(TENANT, id, { client: "c", at: now() }),
  upsertIdentity: ({ hub }) => {
    const identity = { id: ids.next(), tenant: TENANT, source: "mail", sourceId: "u1", name: "n", metadata: null };
    return hub.upsertIdentity({ ...identity, createdAt: now(), updatedAt: now() });
  },
  findIdentity: ({ hub }, id) => hub.findIdentity(TENANT, id),
  findIdentityBySource: ({ hub }) => hub.findIdentityBySource(TENANT, "mail", "u1"),
  "listIdentities of all": ({ hub }) => hub.listIdentities(TENANT, range),
  "listIdentities of a source": ({ hub }) => hub.listIdentities(TENANT, { ...range, source: "mail" }),
  "listIdentities by name": ({ hub }) => hub.listIdentities(TENANT, { ...range, name: "n" }),
  "listIdentities of a source by name": ({ hub }) => hub.listIdentities(TENANT, { ...range, source: "mail", name: "n" }),
  createHandler: ({ hub }) => {
    const handler = { id: ids.next(), tenant: TENANT, source: "mail", prompt: "p", filter: {} };
    return hub.createHandler({ ...handler, createdAt: now(), updatedAt: now() });
  },
  findHandler: ({ hub }, id) => hub.findHandler(TENANT, id),
  "listHandlers of all": ({ hub }) => hub.listHandlers(TENANT, range),
  "listHandlers of a source": ({ hub }) => hub.listHandlers(TENANT, { ...range, source: "mail" }),
  updateHandler: ({ hub }, id) => hub.updateHandler(TENANT, id, { prompt: "p", at: now() }),
  deleteHandler: ({ hub }, id) => hub.deleteHandler(TENANT, id),
  "leases.claim": ({ hub }) => hub.leases.claim(claim()),
  "leases.claim of others": ({ hub }) => hub.leases.claim({ ...claim(), exceptTenants: [TENANT] }),
  "leases.leasedTo": ({ hub }) => hub.leases.leasedTo("w"),
  "leases.renew": ({ hub }, id) => hub.leases.renew("w", [{ id, fence: 1 }], { at: now(), leaseMs: 1 }),
  endRecords: async ({ hub }) => {
    const [held] = await hub.leases.leasedTo("w");
    const lease = { id: held?.record.id ?? "", fence: held?.fence ?? 0 };
    const outcome = { status: "COMPLETED", result: "r", error: null, inputTokens: null, outputTokens: null, dueInMs: null } as const;
    return hub.endRecords("w", [{ ...lease, ...outcome }], now());
  },
  "leases.lost": ({ hub }) => hub.leases.lost({ ...lostLeases(), at: new Date(Date.now() + 120_000) }),
  "leases.lost of others": ({ hub }) => hub.leases.lost({ ...lostLeases(), notOwnedBy: "another" }),
  "leases.nextDueInMs": ({ hub }) => hub.leases.nextDueInMs(now()),
};

describe.each(["without statistics", "with statistics"])("query plans of the hub %s", (statistics) => {
  const cleanup = useCleanup();

  /** Some data: each test has a copy. */
  const filled = { image: Buffer.of(), id: "" };

  beforeAll(async () => {
    const database = new Database(":memory:");
    const storage = sqliteStorage(database);
    await storage.open();
    const events = Array.from({ length: 1_200 }, (_, index) => newEvent({ source: index % 2 ? "mail" : "chat", sender: `u${index % 9}` }));
    const plan = () => [0, 1].map((number) => ({ id: ids.next(), handlerId: "h", prompt: `p${number}` }));
    await storage.hub.createEvents(events, plan);
    for (let number = 0; number < 200; number += 1) {
      const tenant = number % 4 ? `tenant ${number % 7}` : TENANT;
      const base = { tenant, source: number % 3 ? "mail" : "chat", createdAt: now(), updatedAt: now() };
      await storage.hub.createHandler({ ...base, id: ids.next(), prompt: "p", filter: {} });
      await storage.hub.upsertIdentity({ ...base, id: ids.next(), sourceId: `u${number}`, name: "n", metadata: {} });
    }
    await storage.hub.leases.claim(claim(50));
    if (statistics === "with statistics") {
      database.exec("ANALYZE");
    }
    Object.assign(filled, { image: database.serialize(), id: events[50]?.id ?? "" });
    database.close();
  });

  /** A storage with the data, and the statements that it has run since it was last asked. */
  async function recorded() {
    const statements: string[] = [];
    const database = new Database(filled.image, { verbose: (sql) => void statements.push(String(sql)) });
    const storage = sqliteStorage(database);
    await storage.open();
    cleanup(() => database.close());
    const takeStatements = () => statements.splice(0).filter((sql) => /^\s*(select|insert|update|delete)/i.test(sql));
    takeStatements();
    return { storage, database, takeStatements, id: filled.id };
  }

  // Names given as JSON and the page of a list are small and no tables. There are as many leases as attempts under way,
  // and only the first entry of the queue is read.
  const scans = /^SCAN (?!(named|json_each|k)\b|\(subquery|CONSTANT ROW|\S+ USING (COVERING )?INDEX \w+_(leased|due)$)|AUTOMATIC/;

  test.each(Object.entries(operations))("%s searches by key", async (_, operation) => {
    const { storage, database, takeStatements, id } = await recorded();
    await operation(storage, id);
    const statements = takeStatements();
    expect(statements.length).toBeGreaterThan(0);
    for (const sql of statements) {
      const plan = database.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all();
      expect(
        plan.map(({ detail }) => detail).filter((step) => scans.test(step)),
        sql,
      ).toEqual([]);
    }
  });
});

describe("the hub's tables", () => {
  const cleanup = useCleanup();

  test("an acknowledgement keeps its first time, one for each client", async () => {
    const database = new Database(":memory:");
    const storage = sqliteStorage(database);
    await storage.open();
    cleanup(() => database.close());
    const event = newEvent();
    await storage.hub.createEvents([event], () => []);
    for (const [client, time] of [
      ["one", 5],
      ["one", 3],
      ["two", 9],
    ] as const) {
      await storage.hub.acknowledgeEvent(TENANT, event.id, { client, at: new Date(time) });
    }
    expect(database.prepare("SELECT client, acknowledged_at FROM belfry_event_acks ORDER BY client").raw().all()).toEqual([
      ["one", 5],
      ["two", 9],
    ]);
  });

  test("nothing of an event is left when its notification goes", async () => {
    const database = new Database(":memory:");
    const storage = sqliteStorage(database);
    await storage.open();
    cleanup(() => database.close());
    const event = newEvent();
    await storage.hub.createEvents([event], () => [{ id: ids.next(), handlerId: "h", prompt: "p" }]);
    await storage.hub.acknowledgeEvent(TENANT, event.id, { client: "one", at: now() });
    database.exec("DELETE FROM belfry_notifications");
    for (const table of ["belfry_events", "belfry_event_acks", "belfry_processing_records"]) {
      expect(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()).toBe(0);
    }
  });
});
