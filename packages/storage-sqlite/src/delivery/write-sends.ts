import type { CreatedItem, SendDetails } from "@belfry/core";
import type { NewSend, SendCreated, StepRange, SweepStep } from "@belfry/core/storage";
import { newTracking, type StoredDelivery, type Tracking } from "@belfry/storage-sql";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteEntry } from "../inbox/write-items.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { RECORDS } from "./rows.ts";

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
  const writeTracking = prepareWriteTracking(context);
  const writeDeliveries = prepareWriteDeliveries(context);
  const find = context.prepare<{ readonly tenant: string; readonly id: string }, { readonly pk: number }>(sql`
    select pk from belfry_notifications where tenant = ${sql.placeholder("tenant")} and id = ${sql.placeholder("id")}`);
  return (send: NewSend, at: Date): WrittenSend => {
    const { notification, inboxRecipients: recipients } = send;
    const { tenant, id } = notification;
    const isNew = find.get({ tenant, id }) === undefined;
    const used = isNew ? writeKey(send, at) : null;
    if (used !== null) {
      return { created: { kind: "repeated", ...used }, isNew: false };
    }
    const { items, notificationPk } = writeEntry({ notification, recipients });
    if (isNew) {
      writeTracking(notificationPk, send);
      writeDeliveries(notificationPk, send, at);
      writeAudit(tenant, { action: "created", actor: send.actor, notificationId: id }, at);
    }
    return { created: { kind: "created", items: ofRecipients(items, send) }, isNew };
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

/** Writes the tracking of a notification's deliveries, and what its sender said of them. */
function prepareWriteTracking({ prepare }: QueryContext) {
  type Key = { readonly notificationPk: number };
  const { tracking, details } = RECORDS.fields;
  const insertTracking = prepare<Tracking & Key & { readonly createdAt: Date }>(`
    INSERT INTO belfry_trackings (notification_pk, created_at, ${tracking.names}) VALUES (:notificationPk, :createdAt, ${tracking.members(named)})`);
  const insertDetails = prepare<SendDetails & Key & { readonly tenant: string }>(`
    INSERT INTO belfry_sends (notification_pk, tenant, ${details.names}) VALUES (:notificationPk, :tenant, ${details.members(named)})`);
  return (notificationPk: number, send: NewSend): void => {
    const { tenant, createdAt } = send.notification;
    insertTracking.run({ ...newTracking(send), notificationPk, createdAt });
    if (send.details !== null) {
      insertDetails.run({ ...send.details, notificationPk, tenant });
    }
  };
}

/** Writes deliveries that nobody has attempted yet. */
function prepareWriteDeliveries({ prepare }: QueryContext) {
  const { delivery } = RECORDS.fields;
  const insert = prepare<StoredDelivery & { readonly notificationPk: number }>(`
    INSERT INTO belfry_deliveries (notification_pk, ${delivery.names}) VALUES (:notificationPk, ${delivery.members(named)})`);
  const fresh = { reason: null, attempt: 0, attemptsBefore: 0, leaseOwner: null, leaseUntil: null, fence: 0, settledAt: null };
  return (notificationPk: number, { notification: { tenant }, ...send }: NewSend, at: Date): void => {
    const base = (send.scheduledAt ?? at).getTime();
    for (const { dueInMs, ...one } of send.deliveries) {
      insert.run({ ...fresh, ...one, notificationPk, tenant, dueAt: dueInMs === null ? null : new Date(base + dueInMs) });
    }
  };
}

function named(key: string): string {
  return `:${key}`;
}

type LookedAt = readonly [pk: number, isOld: number, isInUse: number];

/** Looks at sends of all tenants, oldest first, and removes old ones that are settled and in no inbox any more. */
export function prepareSweepSends({ prepare, prepareRows }: QueryContext) {
  const lookAt = prepareRows<{ readonly after: number; readonly before: number; readonly limit: number }, LookedAt>(sql`
    select t.notification_pk, t.created_at < ${sql.placeholder("before")},
      exists (select 1 from belfry_deliveries d where d.notification_pk = t.notification_pk and d.status in ('pending', 'waiting'))
      or exists (select 1 from belfry_inbox_items i where i.notification_pk = t.notification_pk)
      or exists (select 1 from belfry_fan_out_chunks f where f.notification_pk = t.notification_pk)
    from belfry_trackings t where t.notification_pk > ${sql.placeholder("after")} order by t.notification_pk limit ${sql.placeholder("limit")}`);
  // A host's connection may not enforce foreign keys, so what hangs on the notification is deleted by name.
  const parts = [
    sql`delete from belfry_delivery_attempts where delivery_pk in (select pk from belfry_deliveries where notification_pk = ${sql.placeholder("pk")})`,
    sql`delete from belfry_deliveries where notification_pk = ${sql.placeholder("pk")}`,
    sql`delete from belfry_sends where notification_pk = ${sql.placeholder("pk")}`,
    sql`delete from belfry_trackings where notification_pk = ${sql.placeholder("pk")}`,
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
