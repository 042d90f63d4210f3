import { DELIVERY_STATES, RECORD_STATES } from "@belfry/core";
import type { AuditQuery, NewSend, StateFilter } from "@belfry/core/storage";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type SqliteStorage, sqliteStorage } from "../src/index.ts";
import { entry, useCleanup } from "./setup.ts";

const MINUTE_MS = 60_000;

/** A send over e-mail, with a fallback, that was not written yet. */
function newSend(recipient: string): NewSend {
  const { notification } = entry(recipient, { kind: "send" });
  const delivery = (kind: string) => ({
    id: `${notification.id.slice(0, -1)}${kind}`,
    channel: kind === "a" ? "email" : "webhook",
    recipient,
    ...({ recipientKind: "address", topic: null, reason: null, reasonSource: null, digest: null } as const),
    chain: 0,
  });
  return {
    notification,
    ...{ channel: "email", fallbackDelayMs: 0, scheduledAt: null },
    ...({ inboxNeeds: "item", addresses: "own", throttles: null } as const),
    details: { channels: ["email"], roomId: null, recipients: [recipient], erasedRecipients: 0, hasFallback: true, meta: {} },
    deliveries: [
      { ...delivery("a"), isFallback: false, status: "pending", dueInMs: 0 },
      { ...delivery("b"), isFallback: true, status: "waiting", dueInMs: null },
    ],
    inboxRecipients: [],
    idempotency: null,
    actor: "host",
  };
}

const filters: Readonly<Record<string, StateFilter>> = {
  ...Object.fromEntries(DELIVERY_STATES.map((state) => [`the state ${state}`, { state, at: new Date() }])),
  everything: {},
  "a recipient": { recipient: "ann" },
  "a status": { status: "pending" },
  sends: { kind: "send" },
  events: { kind: "event" },
  "events of a source": { kind: "event", type: "shop" },
  "a type": { type: "note" },
  "a type and times": { type: "note", from: new Date(0), before: new Date(8.64e12) },
  "a channel": { channel: "inbox" },
  "another channel": { channel: "webhook" },
  times: { from: new Date(0), before: new Date(8.64e12) },
  "a status and times": { status: "pending", from: new Date(0), before: new Date(8.64e12) },
  "one id": { id: "01920000-0000-7000-8000-000000000000" },
  "a beginning": { recipientPrefix: "An" },
  "a beginning of one status": { recipientPrefix: "an", status: "pending" },
  "the names of a user": { recipients: ["ann", "ann@example.com"] },
  "a provider's id": { providerId: "a1@example.com" },
  "an idempotency key": { idempotencyKey: "order-" },
  "an error": { error: "mailbox full" },
};

const lines: Readonly<Record<string, Omit<AuditQuery, "limit">>> = {
  everything: {},
  "an actor": { actor: "ann" },
  "an action": { action: "deleted" },
  "a notification": { notificationId: "01920000-0000-7000-8000-000000000000" },
  "a user": { targetKind: "user", targetId: "ann" },
  times: { from: new Date(0), until: new Date(8.64e12) },
};

const questions: Readonly<Record<string, (storage: SqliteStorage, id: string) => Promise<unknown>>> = {
  ...Object.fromEntries(
    Object.entries(filters).flatMap(([name, filter]) => [
      [`search for ${name}`, ({ activity }: SqliteStorage) => activity.search("acme", { ...filter, limit: 20 })],
      [`count ${name}`, ({ activity }: SqliteStorage) => activity.count("acme", filter, 1_000)],
    ]),
  ),
  "names that begin so": ({ activity }) => activity.recipientsLike("acme", "an", 10),
  ...Object.fromEntries(
    [undefined, ...RECORD_STATES].map((state) => [
      `search for records ${state ?? "of every state"}`,
      ({ hub }: SqliteStorage) =>
        hub.searchRecords("acme", { after: null, limit: 10, error: "model", ...(state === undefined ? {} : { state }) }),
    ]),
  ),
  find: ({ activity }, id) => activity.find("acme", id),
  itemsOf: ({ activity }, id) => activity.itemsOf("acme", id, 20),
  auditOf: ({ activity }, id) => activity.auditOf("acme", id, 20),
  failed: ({ activity }) => activity.failing("acme", { kind: "failed", after: null, limit: 500 }),
  retrying: ({ activity }) => activity.failing("acme", { kind: "retrying", after: [5, 1], limit: 500 }),
  chainsOf: ({ activity }, id) => activity.chainsOf("acme", id),
  deliveriesIn: ({ activity }, id) => activity.deliveriesIn("acme", id, { isFailing: false, after: null, limit: 20 }),
  "failing deliveriesIn": ({ activity }, id) => activity.deliveriesIn("acme", id, { isFailing: true, after: null, limit: 20 }),
  deliveriesTo: ({ activity }) => activity.deliveriesTo("acme", ["ann"], { isFailing: false, after: null, limit: 20 }),
  ...Object.fromEntries(
    Object.entries(lines).map(([name, query]) => [
      `lines of ${name}`,
      ({ deliveries }: SqliteStorage) => deliveries.listAudit("acme", { ...query, limit: 20 }),
    ]),
  ),
  health: ({ activity }) =>
    activity.health("acme", { from: new Date(Date.now() - 60 * MINUTE_MS), bucketMs: MINUTE_MS, buckets: 61 }, new Date()),
  leases: ({ activity }) => activity.leases("acme"),
  recentRecords: ({ activity }) => activity.recentRecords("acme", new Date(0), 5_000),
  waitingRecords: ({ activity }) => activity.waitingRecords("acme", new Date(), 10_000),
  waitingDigests: ({ activity }) => activity.waitingDigests("acme", new Date(), 10_000),
};

/** Steps that read a whole table, but for what has no rows of its own: values, lists in JSON, results at hand. */
const SCANS = /^SCAN (?!CONSTANT ROW|\w+ VIRTUAL TABLE|(ended|listed|names|recipient|recent|waiting)$|\(subquery)|AUTOMATIC/;

describe.each(["without statistics", "with statistics"])("an operator's questions %s", (statistics) => {
  const cleanup = useCleanup();

  /** A storage with some data, and the statements that it has run since. */
  async function recorded() {
    const statements: string[] = [];
    const database = new Database(":memory:", { verbose: (sql) => void statements.push(String(sql)) });
    const storage = sqliteStorage(database);
    await storage.open();
    cleanup(() => database.close());
    const entries = Array.from({ length: 100 }, () => entry(["ann", "bob"]));
    await storage.inbox.createMany(entries);
    await storage.deliveries.createSends(
      Array.from({ length: 100 }, (_, index) => newSend(index % 2 === 0 ? "ann" : "bob")),
      new Date(),
    );
    if (statistics === "with statistics") {
      database.exec("ANALYZE");
    }
    statements.length = 0;
    return { storage, database, statements, id: entries[50]?.notification.id ?? "" };
  }

  test.each(Object.entries(questions))("%s is answered by key", async (_, ask) => {
    const { storage, database, statements, id } = await recorded();
    await ask(storage, id);
    const asked = new Set(statements.filter((sql) => /^\s*(select|with)/i.test(sql)));
    expect(asked.size).toBeGreaterThan(0);
    for (const sql of asked) {
      const plan = database.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all();
      const steps = plan.map(({ detail }) => detail);
      expect(
        steps.filter((step) => SCANS.test(step) || step === "USE TEMP B-TREE FOR ORDER BY"),
        sql,
      ).toEqual([]);
      // By the tenant alone would be all that the tenant ever had.
      expect(
        steps.filter((step) => / USING (COVERING )?INDEX \S+ \(tenant=\?\)$/.test(step)),
        sql,
      ).toEqual([]);
    }
  });

  test("a search by type looks at no other type", async () => {
    const { storage, database, statements } = await recorded();
    for (const filter of [{ type: "note" }, { type: "note", from: new Date(0), before: new Date(8.64e12) }]) {
      statements.length = 0;
      await storage.activity.count("acme", filter, 1_000);
      const plans = statements.map((sql) => database.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all()[0]?.detail);
      expect(plans).toContainEqual(expect.stringMatching(/belfry_notifications_tenant_type \(tenant=\? AND type=\? AND id>\? AND id<\?\)/));
    }
  });

  test("what a pause held back is released along an index of that alone, in the order of its notifications", async () => {
    const { storage, database, statements } = await recorded();
    const places = [
      [null, null, "paused (tenant=?)"],
      ["email", null, "channel_paused (tenant=? AND channel=?)"],
      ["email", "ann", "endpoint_paused (tenant=? AND channel=? AND recipient=?)"],
    ] as const;
    for (const [channel, recipient, index] of places) {
      statements.length = 0;
      await storage.holds.release({ tenant: "acme", channel, recipient }, 50, new Date());
      const sql = statements.find((text) => text.startsWith("WITH oldest")) ?? "";
      const steps = database
        .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => detail);
      expect(steps).toContainEqual(expect.stringContaining(`INDEX belfry_deliveries_${index}`));
      expect(steps).not.toContain("USE TEMP B-TREE FOR ORDER BY");
    }
  });
});
