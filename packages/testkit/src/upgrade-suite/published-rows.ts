import { createHash } from "node:crypto";

/** A value as a fixture names it; a harness writes it as its dialect has it. */
export type PublishedValue = string | number | boolean | null | Date | readonly string[];

/** A row of a table, as a version of Belfry that was published could have written it. */
export interface PublishedRow {
  /** The first migration after which the row can be there. */
  readonly since: number;
  /** The last migration after which it can be there. @default the newest */
  readonly until?: number;
  readonly table: string;
  readonly values: Readonly<Record<string, PublishedValue>>;
}

/** A moment that all rows share. */
export const THEN = new Date("2026-01-02T03:04:05.678Z");

/** When attempts ended whose minute is looked at in health: their sums go some days back. */
export const RECENT = new Date(Date.now() - 90_000);

export const MESSAGE = "019b0000-0000-7000-8000-000000000001";
export const SENT = "019b0000-0000-7000-8000-000000000002";
export const EVENT = "019b0000-0000-7000-8000-000000000003";
/** In a group, in the inbox of another user. */
export const GROUPED = "019b0000-0000-7000-8000-000000000004";
/** Of a category, in the inbox of a third user, where it came back after it was put off. */
export const OF_CATEGORY = "019b0000-0000-7000-8000-000000000005";
/** Expires, in the same inbox, where it is snoozed. */
export const EXPIRING = "019b0000-0000-7000-8000-000000000006";
export const DUE = "019b0000-0000-7000-8000-000000000011";
export const FAILED = "019b0000-0000-7000-8000-000000000012";
export const RECORD = "019b0000-0000-7000-8000-000000000021";
/** Refers to its prompt. */
export const LATER_RECORD = "019b0000-0000-7000-8000-000000000023";
export const LONG_PROMPT = "Do it well. ".repeat(100);
export const DIGEST = "019b0000-0000-7000-8000-000000000031";
export const DEVICE = "019b0000-0000-7000-8000-000000000041";
export const RETRY_RUN = "019b0000-0000-7000-8000-000000000051";
export const ALARM = "019b0000-0000-7000-8000-000000000061";
/** SHA-256 of tenant, channel and address. */
const SUPPRESSED_PLACE = createHash("sha256").update("acme\u0000email\u0000ann@example.com").digest("hex");
const COUNTED = "019b0000-0000-7000-8000-000000000007";
const COUNTED_DELIVERY = "019b0000-0000-7000-8000-000000000013";
const HANDLER = "019b0000-0000-7000-8000-000000000022";

const tenant = "acme";

function notification(pk: number, id: string, kind: string): PublishedRow["values"] {
  const texts = { type: "note", title: `Title ${pk}`, message: `Message ${pk}`, data: '{"n":1}', source: null, sender: null };
  return { pk, tenant, id, kind, ...texts, created_at: THEN };
}

function item(seq: number, notificationPk: number, readAt: Date | null): PublishedRow["values"] {
  const own = { read_at: readAt, deleted_at: null };
  return { tenant, user_id: "ann", seq, notification_pk: notificationPk, type: "note", created_at: THEN, ...own };
}

function delivery(pk: number, id: string, more: PublishedRow["values"]): PublishedRow["values"] {
  const name = { pk, id, notification_pk: 2, tenant, channel: "email", recipient: `${pk}@example.com`, chain: pk - 1, is_fallback: false };
  return { ...name, reason: null, attempts_before: 0, lease_owner: null, lease_until: null, ...more };
}

const DIGEST_PLAN =
  '{"by":"type","scope":"type","name":"note","key":"","frequency":null,"windowMs":60000,"maxWindowMs":null,"leading":false}';

const DETAILS = {
  ...{ notification_pk: 2, tenant, channels: '["email"]', room_id: "lobby", recipients: '["1@example.com","2@example.com"]' },
  ...{ has_fallback: false, meta: '{"n":1,"notification_type":"note"}' },
};

const TRACKING = {
  ...{ notification_pk: 2, tenant, channel: "email", fallback_delay_ms: 0, scheduled_at: null, status: "pending" },
  ...{ pending_chains: 1, sent_chains: 0, delivered_chains: 0, failed_chains: 1, cancelled_chains: 0, attempts: 1, fallback_used: false },
  ...{ delivered_at: null, failed_at: null, created_at: THEN, updated_at: THEN },
};

/** A delivery of another tenant, sent at its second attempt 1,234 ms after it was created. */
const COUNTED_ROWS: readonly PublishedRow[] = [
  { since: 7, table: "belfry_notifications", values: { ...notification(7, COUNTED, "send"), tenant: "counted" } },
  {
    since: 7,
    table: "belfry_trackings",
    values: { ...TRACKING, notification_pk: 7, tenant: "counted", status: "sent", created_at: new Date(RECENT.getTime() - 1_234) },
  },
  {
    since: 7,
    table: "belfry_deliveries",
    values: {
      ...delivery(3, COUNTED_DELIVERY, { status: "sent", attempt: 2, due_at: null, fence: 2, settled_at: RECENT }),
      ...{ notification_pk: 7, tenant: "counted" },
    },
  },
  ...["failed", "sent"].map((status, index) => ({
    since: 7,
    table: "belfry_delivery_attempts",
    values: {
      ...{ delivery_pk: 3, attempt: index + 1, status, started_at: RECENT, finished_at: RECENT, provider: "smtp", response: null },
      ...{ message_id: null, error: null, note: null, is_transient: false },
    },
  })),
  ...[-1, 1_200].map((latencyMs) => ({
    since: 48,
    table: "belfry_attempt_sums",
    values: { tenant: "counted", minute: minuteOf(RECENT), channel: "email", latency_ms: latencyMs, writer: 0, attempts: 1 },
  })),
];

/** When the minute of a time began. */
export function minuteOf(time: Date): Date {
  return new Date(time.getTime() - (time.getTime() % 60_000));
}

const RECORD_VALUES = {
  ...{ pk: 1, id: RECORD, notification_pk: 3, tenant, source: "shop", handler_id: HANDLER, prompt: "Do it", status: "PENDING" },
  ...{ result: null, error: null, attempt: 0, input_tokens: null, output_tokens: null, created_at: THEN, completed_at: null },
  ...{ due_at: THEN, lease_owner: null, lease_until: null, fence: 0 },
};

/** Rows of every table. Item 1 is read by a mark, item 2 by itself, item 3 not. */
export const PUBLISHED_ROWS: readonly PublishedRow[] = [
  { since: 1, table: "belfry_notifications", values: notification(1, MESSAGE, "message") },
  { since: 1, table: "belfry_notifications", values: notification(2, SENT, "send") },
  { since: 1, table: "belfry_notifications", values: notification(3, EVENT, "event") },
  { since: 1, table: "belfry_inbox_items", values: item(1, 1, null) },
  { since: 1, table: "belfry_inbox_items", values: item(2, 2, THEN) },
  { since: 1, table: "belfry_inbox_items", values: item(3, 3, null) },
  {
    since: 1,
    table: "belfry_inbox_counters",
    values: { tenant, user_id: "ann", last_seq: 3, total: 3, unread: 1, read_up_to_seq: 1, epoch: "first" },
  },
  { since: 1, table: "belfry_read_marks", values: { tenant, user_id: "ann", up_to_seq: 1, read_at: THEN } },
  { since: 1, table: "belfry_fan_out_chunks", values: { pk: 1, notification_pk: 1, recipients: ["bob", "cat"] } },
  { since: 23, table: "belfry_fan_outs", values: { pk: 1, tenant, notification_pk: 1, plan: null, drop_at: null } },
  {
    since: 23,
    table: "belfry_fan_out_parts",
    values: { pk: 1, fan_out_pk: 1, channel: null, place: 0, recipients: ["dan"], taken_until: null },
  },
  { since: 2, until: 6, table: "belfry_sends", values: { ...DETAILS, ...TRACKING } },
  { since: 7, table: "belfry_sends", values: DETAILS },
  { since: 7, table: "belfry_trackings", values: TRACKING },
  {
    since: 2,
    table: "belfry_deliveries",
    values: delivery(1, DUE, { status: "pending", attempt: 0, due_at: THEN, fence: 0, settled_at: null }),
  },
  {
    since: 2,
    table: "belfry_deliveries",
    values: delivery(2, FAILED, { status: "failed", attempt: 1, due_at: null, fence: 1, settled_at: THEN }),
  },
  {
    since: 2,
    table: "belfry_delivery_attempts",
    values: {
      ...{ delivery_pk: 2, attempt: 1, status: "failed", started_at: THEN, finished_at: THEN, provider: "smtp", response: null },
      ...{ message_id: null, error: "550", note: null, is_transient: false },
    },
  },
  {
    since: 2,
    table: "belfry_idempotency_keys",
    values: { tenant, key: "once", body_hash: "hash", response: "{}", created_at: THEN },
  },
  {
    since: 2,
    table: "belfry_audit_log",
    values: { number: 1, tenant, at: THEN, action: "created", actor: "host", notification_id: SENT },
  },
  {
    since: 2,
    table: "belfry_api_keys",
    values: { id: "key", tenant, name: "A key", digest: "digest", scopes: '["read"]', created_at: THEN, revoked_at: null },
  },
  {
    since: 3,
    table: "belfry_events",
    values: { notification_pk: 3, tenant, source: "shop", sender: "ann", received_at: THEN },
  },
  {
    since: 3,
    table: "belfry_event_acks",
    values: { notification_pk: 3, client: "phone", acknowledged_at: THEN },
  },
  {
    since: 3,
    table: "belfry_processing_records",
    values: RECORD_VALUES,
  },
  {
    since: 10,
    table: "belfry_prompts",
    values: { pk: 1, tenant, digest: "digest", text: LONG_PROMPT },
  },
  {
    since: 10,
    table: "belfry_processing_records",
    values: { ...RECORD_VALUES, pk: 2, id: LATER_RECORD, prompt: "", prompt_pk: 1, due_at: new Date(THEN.getTime() + 1) },
  },
  {
    since: 9,
    table: "belfry_socket_tickets",
    values: { digest: "digest of a ticket", sealed: "sealed", expires_at: THEN },
  },
  {
    since: 24,
    table: "belfry_inbox_changes",
    values: {
      ...{ tenant, user_id: "ann", rev: 0, last_seq: 3, kind: "archived", seqs: "[2,3]", up_to_seq: null, of_group: null },
      ...{ at: THEN.getTime(), until: null },
    },
  },
  {
    since: 14,
    table: "belfry_choices",
    values: {
      ...{ tenant, user_id: "ann", place: "18b0367450bb1ddc56b34ec54143d71cb98831e078229f676f73577fb0483314", scope: "type" },
      ...{ name: "note", channel: "email", value: "daily", is_locked: false, conditions: '{"n":1}' },
    },
  },
  {
    since: 14,
    table: "belfry_settings",
    values: {
      ...{ tenant, user_id: "ann", time_zone: "Asia/Tokyo", quiet_hours: '[{"from":"22:00","to":"07:00"}]' },
      ...{ pause_until: THEN.getTime(), digest: '{"at":"18:30","weekday":"fri"}' },
    },
  },
  {
    since: 19,
    table: "belfry_throttles",
    values: { tenant, user_id: "ann", place: "f9cdfe0248d356c5ae0cd85e76dfa9ae1232c266d39f4db33f29ea727ccf34a1", free_at: 1 },
  },
  {
    since: 21,
    table: "belfry_digests",
    values: {
      ...{ pk: 1, id: DIGEST, tenant, user_id: "2@example.com", channel: "email", place: "place", plan: DIGEST_PLAN, state: "closed" },
      ...{ opened_at: THEN, closes_at: THEN, last_at: null, rendered_at: THEN, closed_at: THEN, shown: 1, total: 1 },
      ...{ attempt: 1, due_at: null, lease_owner: null, lease_until: null, fence: 1 },
    },
  },
  {
    since: 21,
    table: "belfry_digest_entries",
    values: { delivery_pk: 2, due_at: THEN, plan: DIGEST_PLAN, taken_by: null, digest_pk: 1, place: 1 },
  },
  {
    since: 22,
    table: "belfry_taken_addresses",
    values: { notification_pk: 2, place: "14cd44ecb16eb8ade11ae17d3bc9ae13a6aa1ed5d2e8f5a3a9f9d8e2c6fd4f4d", delivery_pk: 1 },
  },
  {
    since: 26,
    table: "belfry_notifications",
    values: { ...notification(4, GROUPED, "message"), sender: "bob", group_name: "post:7", replace_key: "post:7" },
  },
  {
    since: 26,
    table: "belfry_inbox_items",
    values: { ...item(1, 4, null), user_id: "eve", group_name: "post:7", replace_key: "post:7" },
  },
  {
    since: 26,
    table: "belfry_inbox_counters",
    values: { tenant, user_id: "eve", last_seq: 1, total: 1, unread: 1, read_up_to_seq: 0, epoch: "first" },
  },
  {
    since: 26,
    table: "belfry_inbox_groups",
    values: {
      ...{ tenant, user_id: "eve", group_name: "post:7", newest_seq: 1, total: 1, unread: 1, read_rev: 0, actors: '["bob"]' },
    },
  },
  {
    since: 28,
    table: "belfry_subscriptions",
    values: { tenant, topic: "post:7", user_id: "ann", is_deep: true, channels: '["inbox"]', created_at: THEN },
  },
  { since: 25, table: "belfry_notifications", values: { ...notification(5, OF_CATEGORY, "message"), category: "social" } },
  {
    since: 25,
    table: "belfry_inbox_items",
    values: { ...item(1, 5, null), user_id: "fay", category: "social", woken_at: THEN },
  },
  {
    since: 25,
    until: 28,
    table: "belfry_inbox_counters",
    values: { tenant, user_id: "fay", last_seq: 1, total: 1, unread: 1, read_up_to_seq: 0, epoch: "first" },
  },
  { since: 29, table: "belfry_notifications", values: { ...notification(6, EXPIRING, "message"), expires_at: THEN } },
  {
    since: 29,
    table: "belfry_inbox_items",
    values: { ...item(2, 6, null), user_id: "fay", deleted_at: THEN, snoozed_until: THEN, expires_at: THEN },
  },
  {
    since: 29,
    table: "belfry_inbox_counters",
    values: { tenant, user_id: "fay", last_seq: 2, total: 1, unread: 1, read_up_to_seq: 0, epoch: "first", away_unread: 1, due_at: THEN },
  },
  {
    since: 31,
    table: "belfry_audiences",
    values: {
      ...{ notification_pk: 4, tenant, topics: '["post:7"]', source: null, after_user: "eve", place: 1, mark: "first" },
      has_deliveries: false,
    },
  },
  {
    since: 32,
    table: "belfry_broadcast_numbers",
    values: { tenant, newest: 2 },
  },
  {
    since: 32,
    table: "belfry_broadcasts",
    values: {
      ...{ pk: 1, tenant, notification_pk: 4, number: 2, due_at: null, at: THEN, is_standing: false },
      ...{ except_users: '["bob"]', page_cursor: null },
    },
  },
  // Begun by processes that know no broadcasts, after the one above; of the second, the first item is gone.
  { since: 32, table: "belfry_inbox_items", values: { ...item(1, 1, null), user_id: "gus", created_at: new Date(THEN.getTime() + 1) } },
  ...[
    { since: 32, userId: "gus" },
    { since: 36, userId: "hal" },
  ].map(({ since, userId }) => ({
    since,
    table: "belfry_inbox_counters",
    values: { tenant, user_id: userId, last_seq: 1, total: 1, unread: 1, read_up_to_seq: 0, epoch: "first" },
  })),
  {
    since: 37,
    table: "belfry_deleted_users",
    values: { tenant, hash: "hash of a deleted user", key: "key", at: THEN },
  },
  {
    since: 38,
    table: "belfry_item_updates",
    values: { notification_pk: 2, tenant, after_user: "", at: THEN, due_at: THEN },
  },
  {
    since: 39,
    table: "belfry_ended_broadcasts",
    values: { notification_pk: 5, at: THEN, ended_at: THEN, is_standing: false, except_count: 1 },
  },
  {
    since: 40,
    table: "belfry_devices",
    values: {
      ...{ id: DEVICE, tenant, user_id: "ann", platform: "web", token_hash: "hash of the token", token: "https://push.example/1" },
      ...{ keys: '{"p256dh":"key","auth":"secret"}', app: "app", name: "Laptop", created_at: THEN, seen_at: THEN },
    },
  },
  {
    since: 41,
    table: "belfry_suppressions",
    values: {
      ...{ tenant, place: SUPPRESSED_PLACE, channel: "email", address: "ann@example.com", reason: "complaint", actor: "ses" },
      ...{ detail: "abuse", created_at: THEN },
    },
  },
  {
    since: 41,
    table: "belfry_soft_bounces",
    values: { tenant, place: SUPPRESSED_PLACE, delivery_id: DEVICE, at: THEN },
  },
  {
    since: 42,
    table: "belfry_circuits",
    values: { channel: "webhook", recipient: "https://resting.example", failures: 5, opened_at: THEN, open_until: THEN },
  },
  {
    since: 43,
    table: "belfry_retry_runs",
    values: {
      ...{ id: RETRY_RUN, tenant, filter: '{"channel":"email"}', recipient: null, actor: "ann", state: "running" },
      ...{ matched: 3, looked: 2, retried: 1, after_id: null, created_at: THEN, ended_at: null, due_at: THEN, fence: 4 },
    },
  },
  {
    since: 44,
    table: "belfry_pauses",
    values: { tenant, channel: "webhook", recipient: "", actor: "ann", detail: "down", paused_at: THEN, resumed_at: null },
  },
  {
    since: 45,
    table: "belfry_alarms",
    values: {
      ...{ tenant, kind: "lag", channel: "email", id: ALARM, state: "raised", value: 400_000, line: 300_000, raised_at: THEN },
      ...{ ended_at: null, told_at: null, due_at: THEN, tries: 1 },
    },
  },
  ...COUNTED_ROWS,
  {
    since: 34,
    table: "belfry_content_tokens",
    values: { tenant, token: 1 },
  },
];
