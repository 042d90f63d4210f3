import type { CreatedItem } from "@belfry/core";
import { type NewSend, type SendCreated, type StepRange, type SweepStep, sendStatus } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteEntry } from "../inbox/write-items.ts";
import { prepareWriteAudit } from "./change-send.ts";

/** The result of writing a send. */
export interface WrittenSend {
  readonly created: SendCreated;
  /** False if nothing was written. */
  readonly isNew: boolean;
}

/** Writes a send with all that goes with it, inside a transaction that the caller opened. */
export function prepareWriteSend(context: QueryContext) {
  const writeEntry = prepareWriteEntry(context);
  const writeAudit = prepareWriteAudit(context);
  const writeKey = prepareWriteKey(context);
  const insertSend = prepareInsertSend(context);
  const insertDelivery = prepareInsertDelivery(context);
  const pkOf = context.prepare<{ readonly tenant: string; readonly id: string }, { readonly pk: number }>(sql`
    select pk from belfry_notifications where tenant = ${sql.placeholder("tenant")} and id = ${sql.placeholder("id")}`);
  return (send: NewSend, at: Date): WrittenSend => {
    const { notification, details, deliveries, actor } = send;
    const { tenant, id } = notification;
    const isKnown = pkOf.get({ tenant, id }) !== undefined;
    const used = isKnown ? null : writeKey(send, at);
    if (used !== null) {
      return { created: { kind: "repeated", ...used }, isNew: false };
    }
    const { items } = writeEntry({ notification, recipients: send.inboxRecipients });
    if (!isKnown) {
      const notificationPk = pkOf.get({ tenant, id })?.pk ?? 0;
      insertSend(notificationPk, send);
      const base = (details.scheduledAt ?? at).getTime();
      for (const { dueInMs, isFallback, ...delivery } of deliveries) {
        const dueAt = dueInMs === null ? null : base + dueInMs;
        insertDelivery.run({ ...delivery, tenant, notificationPk, dueAt, isFallback: Number(isFallback) });
      }
      writeAudit(tenant, { action: "created", actor, notificationId: id }, at);
    }
    return { created: { kind: "created", items: ofRecipients(items, send) }, isNew: !isKnown };
  };
}

/** Writes several sends. */
export function prepareCreateSends(context: QueryContext) {
  const writeSend = prepareWriteSend(context);
  return (sends: readonly NewSend[], at: Date): readonly SendCreated[] => sends.map((send) => writeSend(send, at).created);
}

function ofRecipients(items: readonly CreatedItem[], { inboxRecipients }: NewSend): readonly CreatedItem[] {
  const byUser = new Map(items.map((item) => [item.userId, item]));
  return inboxRecipients.flatMap((userId) => byUser.get(userId) ?? []);
}

/** Keeps the send's idempotency key; answers what is kept under it already, or null. */
function prepareWriteKey({ prepare }: QueryContext) {
  interface KeyValues {
    readonly tenant: string;
    readonly key: string;
  }
  const find = prepare<KeyValues, { readonly bodyHash: string; readonly response: string }>(sql`
    select body_hash as "bodyHash", response from belfry_idempotency_keys
    where tenant = ${sql.placeholder("tenant")} and key = ${sql.placeholder("key")}`);
  const insert = prepare<KeyValues & { readonly bodyHash: string; readonly response: string; readonly at: number }>(sql`
    insert into belfry_idempotency_keys (tenant, key, body_hash, response, created_at)
    values (${sql.placeholder("tenant")}, ${sql.placeholder("key")}, ${sql.placeholder("bodyHash")}, ${sql.placeholder("response")},
      ${sql.placeholder("at")})`);
  return ({ notification: { tenant }, idempotency }: NewSend, at: Date) => {
    if (idempotency === null) {
      return null;
    }
    const used = find.get({ tenant, key: idempotency.key });
    if (used === undefined) {
      insert.run({ ...idempotency, tenant, at: at.getTime() });
    }
    return used ?? null;
  };
}

function prepareInsertSend({ prepare }: QueryContext) {
  const columns = [
    "notification_pk",
    "tenant",
    "channel",
    "channels",
    "room_id",
    "recipients",
    "has_fallback",
    "fallback_delay_ms",
    "scheduled_at",
    "meta",
    "status",
    "pending_chains",
    "created_at",
  ] as const;
  const insert = prepare<Readonly<Record<(typeof columns)[number], unknown>>>(sql`
    insert into belfry_sends (${sql.raw(columns.join(", "))}, sent_chains, delivered_chains, failed_chains, cancelled_chains, attempts, fallback_used,
      updated_at)
    values (${sql.join(
      columns.map((column) => sql.placeholder(column)),
      sql`, `,
    )}, 0, 0, 0, 0, 0, 0, ${sql.placeholder("created_at")})`);
  return (notificationPk: number, { notification, details, deliveries }: NewSend): void => {
    const pending = new Set(deliveries.map(({ chain }) => chain)).size;
    const createdAt = notification.createdAt.getTime();
    insert.run({
      notification_pk: notificationPk,
      tenant: notification.tenant,
      channel: details.channel,
      channels: JSON.stringify(details.channels),
      room_id: details.roomId,
      recipients: JSON.stringify(details.recipients),
      has_fallback: Number(details.hasFallback),
      fallback_delay_ms: details.fallbackDelayMs,
      scheduled_at: details.scheduledAt?.getTime() ?? null,
      meta: JSON.stringify(details.meta),
      status: sendStatus({ pending, sent: 0, delivered: 0, failed: 0, cancelled: 0 }),
      pending_chains: pending,
      created_at: createdAt,
    });
  };
}

interface DeliveryValues {
  readonly id: string;
  readonly notificationPk: number;
  readonly tenant: string;
  readonly channel: string;
  readonly recipient: string;
  readonly chain: number;
  readonly isFallback: number;
  readonly status: string;
  readonly dueAt: number | null;
}

function prepareInsertDelivery({ prepare }: QueryContext) {
  return prepare<DeliveryValues>(sql`
    insert into belfry_deliveries (id, notification_pk, tenant, channel, recipient, chain, is_fallback, status, attempt, attempts_before, due_at, fence)
    values (${sql.placeholder("id")}, ${sql.placeholder("notificationPk")}, ${sql.placeholder("tenant")}, ${sql.placeholder("channel")},
      ${sql.placeholder("recipient")}, ${sql.placeholder("chain")}, ${sql.placeholder("isFallback")}, ${sql.placeholder("status")}, 0, 0,
      ${sql.placeholder("dueAt")}, 0)`);
}

type LookedAt = readonly [pk: number, isOld: number, isInUse: number];

/** Looks at sends of all tenants, oldest first, and removes old ones that are settled and in no inbox any more. */
export function prepareSweepSends({ prepare, prepareRows }: QueryContext) {
  const lookAt = prepareRows<{ readonly after: number; readonly before: number; readonly limit: number }, LookedAt>(sql`
    select s.notification_pk, s.created_at < ${sql.placeholder("before")},
      exists (select 1 from belfry_deliveries d where d.notification_pk = s.notification_pk and d.status in ('pending', 'waiting'))
      or exists (select 1 from belfry_inbox_items i where i.notification_pk = s.notification_pk)
      or exists (select 1 from belfry_fan_out_chunks f where f.notification_pk = s.notification_pk)
    from belfry_sends s where s.notification_pk > ${sql.placeholder("after")} order by s.notification_pk limit ${sql.placeholder("limit")}`);
  // A host's connection may not enforce foreign keys, so what hangs on the notification is deleted by name.
  const parts = [
    sql`delete from belfry_delivery_attempts where delivery_pk in (select pk from belfry_deliveries where notification_pk = ${sql.placeholder("pk")})`,
    sql`delete from belfry_deliveries where notification_pk = ${sql.placeholder("pk")}`,
    sql`delete from belfry_sends where notification_pk = ${sql.placeholder("pk")}`,
    sql`delete from belfry_notifications where pk = ${sql.placeholder("pk")}`,
  ].map((statement) => prepare<{ readonly pk: number }>(statement));
  return (before: Date, { after, limit }: StepRange): SweepStep => {
    const rows = lookAt.all({ after: Number(after ?? 0), before: before.getTime(), limit });
    const over = rows.filter(([, isOld, isInUse]) => isOld === 1 && isInUse === 0);
    for (const [pk] of over) {
      for (const part of parts) {
        part.run({ pk });
      }
    }
    const last = rows.length < limit ? undefined : rows.at(-1);
    return { removed: over.length, next: last?.[1] === 1 ? String(last[0]) : null };
  };
}
