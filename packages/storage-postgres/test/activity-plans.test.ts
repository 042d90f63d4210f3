import { DELIVERY_STATES, RECORD_STATES } from "@belfry/core";
import type { StateFilter } from "@belfry/core/storage";
import type { PoolClient } from "pg";
import { describe, expect, test } from "vitest";
import { nodesOf, readWhole, useFilledPlans } from "./filled-plans.ts";

const NOTIFICATIONS = 100_000;
const START_S = Date.UTC(2026, 0, 1) / 1_000;
const END_MS = (START_S + NOTIFICATIONS) * 1_000;
const MINUTE_MS = 60_000;

/** The id of the notification number `index`; one is made each second. */
function idOf(index: number): string {
  const time = ((START_S + index) * 1_000).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${index.toString(16).padStart(12, "0")}`;
}

const anHour = { from: new Date(END_MS - 60 * MINUTE_MS), before: new Date(END_MS) };

const filters: Readonly<Record<string, StateFilter>> = {
  ...Object.fromEntries(DELIVERY_STATES.map((state) => [`the state ${state}`, { state, at: new Date(END_MS) }])),
  everything: {},
  "a user": { recipient: "user_7" },
  "an endpoint of many": { recipient: "https://one.example" },
  "a user and a status": { recipient: "user_7", status: "delivered" },
  "a sender": { recipient: "sender_9" },
  "a rare status": { status: "failed" },
  "a common status": { status: "delivered" },
  "a status and a channel": { status: "delivered", channel: "webhook" },
  sends: { kind: "send" },
  events: { kind: "event" },
  "events of a source": { kind: "event", type: "shop" },
  "a type": { type: "type_3" },
  "a rare type": { type: "rare" },
  "the inbox": { channel: "inbox" },
  "an hour": anHour,
  "a status in an hour": { ...anHour, status: "pending" },
  "one id": { id: idOf(500) },
  "a beginning": { recipientPrefix: "User_77" },
  "a beginning that most have": { recipientPrefix: "USER" },
  "a beginning that nobody has": { recipientPrefix: "nobody" },
  "the names of a user": { recipients: ["user_7", "https://one.example"] },
  "a provider's id": { providerId: "m-500@example.com" },
  "an idempotency key": { idempotencyKey: "order-5" },
  "an error": { error: "mailbox full" },
};

const recordStates = [undefined, ...RECORD_STATES];

describe("plans of an operator's questions over 100,000 notifications, and of a small tenant beside them", () => {
  const filled = useFilledPlans(fill);

  /** Which tables the statements of `work` read whole. */
  const wholeOf = async (work: () => Promise<unknown>) => readWhole(await filled.plansOf(work));

  test.each(Object.entries(filters))("a search for %s, and its count, read no table whole", async (_, filter) => {
    for (const tenant of ["default", "small", "nobody"]) {
      const { activity } = filled.storage;
      expect([tenant, await wholeOf(() => activity.search(tenant, { ...filter, limit: 51 }))]).toEqual([tenant, []]);
      expect([tenant, await wholeOf(() => activity.search(tenant, { ...filter, after: idOf(50_000), limit: 51 }))]).toEqual([tenant, []]);
      expect([tenant, await wholeOf(() => activity.count(tenant, filter, 10_000))]).toEqual([tenant, []]);
    }
  });

  test("what a pause held back is released along an index of that alone", async () => {
    for (const [channel, recipient] of [
      [null, null],
      ["email", null],
      ["webhook", "https://one.example"],
    ] as const) {
      const release = () => filled.storage.holds.release({ tenant: "default", channel, recipient }, 1, anHour.before);
      const plans = await filled.plansOf(release);
      const indexes = plans.flatMap(nodesOf).flatMap((node) => node["Index Name"] ?? []);
      expect(indexes).toContainEqual(expect.stringMatching(/^belfry_deliveries_\w*paused$/));
      expect(readWhole(plans)).toEqual([]);
    }
  });

  test("everything else reads no table whole", async () => {
    for (const tenant of ["default", "small"]) {
      const { activity, deliveries } = filled.storage;
      const window = { from: anHour.from, bucketMs: MINUTE_MS, buckets: 60 };
      const questions: Readonly<Record<string, () => Promise<unknown>>> = {
        find: () => activity.find(tenant, idOf(500)),
        broadcastOf: () => activity.broadcastOf(tenant, idOf(503), anHour.before),
        itemsOf: () => activity.itemsOf(tenant, idOf(500), 100),
        auditOf: () => activity.auditOf(tenant, idOf(507), 100),
        chainsOf: () => activity.chainsOf(tenant, idOf(508)),
        deliveriesIn: () => activity.deliveriesIn(tenant, idOf(508), { isFailing: false, after: null, limit: 21 }),
        "failing deliveriesIn": () => activity.deliveriesIn(tenant, idOf(508), { isFailing: true, after: null, limit: 21 }),
        deliveriesTo: () => activity.deliveriesTo(tenant, ["user_7", "nobody"], { isFailing: false, after: null, limit: 21 }),
        "lines of an actor": () => deliveries.listAudit(tenant, { actor: "ann", limit: 51 }),
        "lines of an action": () => deliveries.listAudit(tenant, { action: "deleted", limit: 51 }),
        "lines of a user": () => deliveries.listAudit(tenant, { targetKind: "user", targetId: "user_7", limit: 51 }),
        "lines of an hour": () => deliveries.listAudit(tenant, { from: anHour.from, until: anHour.before, limit: 51 }),
        health: () => activity.health(tenant, window, anHour.before),
        failed: () => activity.failing(tenant, { kind: "failed", after: null, limit: 500 }),
        retrying: () => activity.failing(tenant, { kind: "retrying", after: [50_000, 1], limit: 500 }),
        names: () => activity.recipientsLike(tenant, "user_1", 10),
        ...Object.fromEntries(
          recordStates.map((state) => [
            `records ${state}`,
            () =>
              filled.storage.hub.searchRecords(tenant, { after: null, limit: 10, error: "a", ...(state === undefined ? {} : { state }) }),
          ]),
        ),
      };
      for (const [name, question] of Object.entries(questions)) {
        expect([tenant, name, await wholeOf(question)]).toEqual([tenant, name, []]);
      }
    }
  });

  test("the work in the background is read without the whole of any table that has rows", async () => {
    const empty = ["belfry_digests", "belfry_processing_records"];
    for (const tenant of ["default", "small"]) {
      const { activity } = filled.storage;
      const work = async () => [
        await activity.leases(tenant),
        await activity.recentRecords(tenant, anHour.from, 5_000),
        await activity.waitingRecords(tenant, anHour.before, 10_000),
        await activity.waitingDigests(tenant, anHour.before, 10_000),
      ];
      expect((await wholeOf(work)).filter((table) => !empty.includes(table))).toEqual([]);
    }
  });
});

/** Of ten notifications seven are messages, two sends and one is an event; of a hundred one is another tenant's. */
async function fill(client: PoolClient): Promise<void> {
  const id = `(lpad(to_hex((${START_S}::bigint + i) * 1000), 12, '0') || '70008000' || lpad(to_hex(i), 12, '0'))::uuid`;
  await client.query(`INSERT INTO belfry_notifications (tenant, id, kind, type, title, message, data, created_at, source, sender)
    SELECT CASE WHEN i % 100 = 1 THEN 'small' ELSE 'default' END, ${id},
      CASE WHEN i % 10 < 7 THEN 'message' WHEN i % 10 < 9 THEN 'send' ELSE 'event' END,
      CASE WHEN i % 10000 = 0 THEN 'rare' ELSE 'type_' || i % 20 END, 'A title', repeat('A message. ', 20), '{}', to_timestamp(${START_S} + i),
      CASE WHEN i % 10 = 9 THEN 'shop' END, CASE WHEN i % 10 = 9 THEN 'sender_' || i % 1000 END
    FROM generate_series(1, ${NOTIFICATIONS}) i`);
  await client.query(`INSERT INTO belfry_attempt_sums (tenant, minute, channel, latency_ms, writer, attempts)
    SELECT tenant, to_timestamp(${START_S} / 60 * 60 + m * 60), 'email', latency_ms, 0, 1
    FROM generate_series(0, 2000) m, unnest('{default,small}'::text[]) tenant, unnest('{-1,10,100,1000}'::bigint[]) latency_ms`);
  await client.query(`INSERT INTO belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)
    SELECT tenant, 'user_' || pk % 500, pk, pk, type, created_at FROM belfry_notifications WHERE kind = 'message'`);
  await client.query(`INSERT INTO belfry_broadcasts (tenant, notification_pk, number, at, is_standing)
    SELECT tenant, pk, pk, created_at, false FROM belfry_notifications WHERE kind = 'message' AND pk % 20 = 3`);
  await client.query(`INSERT INTO belfry_ended_broadcasts (notification_pk, at, ended_at, is_standing, except_count)
    SELECT pk, created_at, created_at, false, 0 FROM belfry_notifications WHERE kind = 'message' AND pk % 20 = 4`);
  await client.query(`INSERT INTO belfry_inbox_counters
    SELECT tenant, user_id, max(seq), count(*), count(*), 0, 'e' FROM belfry_inbox_items GROUP BY tenant, user_id`);
  await client.query(`INSERT INTO belfry_inbox_counters SELECT 'default', 'other_' || i, 1, 1, 1, 0, 'e' FROM generate_series(1, 20000) i`);
  await client.query("INSERT INTO belfry_read_marks SELECT 'default', 'other_' || i, 1, now() FROM generate_series(1, 20000) i");
  await client.query(`INSERT INTO belfry_events (notification_pk, tenant, source, sender, received_at)
    SELECT pk, tenant, source, sender, created_at FROM belfry_notifications WHERE kind = 'event'`);
  const channel = "CASE WHEN pk % 20 < 10 THEN 'email' ELSE 'webhook' END";
  const status = `CASE WHEN pk % 1000 = 8 THEN 'failed' WHEN pk > ${NOTIFICATIONS - 1_000} AND pk % 10 = 8 THEN 'pending' ELSE 'delivered' END`;
  await client.query(`INSERT INTO belfry_trackings (notification_pk, tenant, channel, fallback_delay_ms, status,
      pending_chains, sent_chains, delivered_chains, failed_chains, cancelled_chains, attempts, fallback_used, created_at, updated_at)
    SELECT pk, tenant, ${channel}, 0, ${status}, 0, 0, 0, 0, 0, 1, false, created_at, created_at FROM belfry_notifications WHERE kind = 'send'`);
  await client.query(`INSERT INTO belfry_sends (notification_pk, tenant, channels, recipients, has_fallback, meta)
    SELECT pk, tenant, json_build_array(${channel}), '["a"]', false, '{}' FROM belfry_notifications WHERE kind = 'send'`);
  await client.query(`INSERT INTO belfry_deliveries (id, notification_pk, tenant, channel, recipient, chain, is_fallback, status, attempt,
      attempts_before, due_at, fence, settled_at)
    SELECT gen_random_uuid(), pk, tenant, ${channel}, CASE WHEN pk % 20 < 10 THEN 'user_' || pk % 500 ELSE 'https://one.example' END, 0, false,
      ${status}, 1, 0, CASE WHEN ${status} = 'pending' THEN created_at END, 1, created_at
    FROM belfry_notifications WHERE kind = 'send'`);
  await client.query(`UPDATE belfry_deliveries SET reason = 'paused', reason_source = 'operator'
    WHERE status = 'pending' AND notification_pk % 3 = 0`);
  await client.query(`INSERT INTO belfry_delivery_attempts (delivery_pk, attempt, status, started_at, finished_at, provider,
      message_id, error, is_transient)
    SELECT d.pk, 1, CASE WHEN d.status = 'failed' THEN 'failed' ELSE 'sent' END, d.settled_at, d.settled_at + interval '1 s', 'smtp',
      'm-' || d.pk || '@example.com', CASE WHEN d.status = 'failed' THEN 'mailbox full' END, false
    FROM belfry_deliveries d WHERE d.status <> 'pending'`);
  await client.query(`INSERT INTO belfry_circuits (channel, recipient, failures, opened_at, open_until)
    SELECT 'webhook', 'https://resting.example/' || i, 5, now(), now() FROM generate_series(1, 5000) i`);
  await client.query(`INSERT INTO belfry_idempotency_keys (tenant, key, body_hash, response, created_at, notification_id)
    SELECT tenant, 'order-' || pk, 'hash', '', created_at, id FROM belfry_notifications WHERE kind = 'send'`);
  await client.query(
    "INSERT INTO belfry_prompts (tenant, digest, text) SELECT 'default', i::text, 'A prompt' FROM generate_series(1, 5000) i",
  );
  const recordStatus = "CASE WHEN pk % 1000 = 9 THEN 'FAILED' WHEN pk % 1000 IN (19, 29) THEN 'PENDING' ELSE 'COMPLETED' END";
  await client.query(`INSERT INTO belfry_processing_records (id, notification_pk, tenant, source, handler_id, prompt, status, error, attempt,
      created_at, completed_at, due_at, fence)
    SELECT gen_random_uuid(), pk, tenant, 'shop', gen_random_uuid(), 'What now?', ${recordStatus}, 'a fault', CASE WHEN pk % 1000 = 19 THEN 0 ELSE 1 END,
      created_at, CASE WHEN ${recordStatus} <> 'PENDING' THEN created_at END, CASE WHEN ${recordStatus} = 'PENDING' THEN created_at END, 1
    FROM belfry_notifications WHERE kind = 'event'`);
  await client.query(`INSERT INTO belfry_audit_log (tenant, at, action, actor, notification_id)
    SELECT tenant, created_at, 'created', 'host', id FROM belfry_notifications WHERE kind = 'send'`);
  await client.query(`INSERT INTO belfry_audit_log (tenant, at, action, actor, notification_id, target_kind, target_id)
    SELECT tenant, created_at, 'read', 'ann', id, 'user', 'user_' || pk % 500 FROM belfry_notifications WHERE pk % 500 = 7`);
}
