import type { CreatedItem, SendDetails } from "@belfry/core";
import type { IdempotencyKey, NewSend, SendCreated } from "@belfry/core/storage";
import { newTracking, type StoredDelivery, type Tracking } from "@belfry/storage-sql";
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
  const find = context.prepare<{ readonly tenant: string; readonly id: string }, { readonly pk: number }>(`
    SELECT pk FROM belfry_notifications WHERE tenant = :tenant AND id = :id`);
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

/** Stores a send's idempotency key; answers the entry that it already had, or null. */
function prepareWriteKey({ prepare }: QueryContext) {
  interface KeyValues {
    readonly tenant: string;
    readonly key: string;
  }
  const find = prepare<KeyValues, Omit<Extract<SendCreated, { kind: "repeated" }>, "kind">>(`
    SELECT body_hash AS "bodyHash", nullif(response, '') AS response, notification_id AS "notificationId" FROM belfry_idempotency_keys
    WHERE tenant = :tenant AND key = :key`);
  const insert = prepare<KeyValues & IdempotencyKey & { readonly notificationId: string; readonly at: Date }>(`
    INSERT INTO belfry_idempotency_keys (tenant, key, body_hash, response, created_at, notification_id)
    VALUES (:tenant, :key, :bodyHash, :response, :at, :notificationId)`);
  return ({ notification: { tenant, id: notificationId }, idempotency }: NewSend, at: Date) => {
    if (idempotency === null) {
      return null;
    }
    const used = find.get({ tenant, key: idempotency.key });
    if (used === undefined) {
      insert.run({ ...idempotency, tenant, notificationId, at });
    }
    return used ?? null;
  };
}

/** Writes the tracking of a notification's deliveries, and its sender's details. */
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
  const fresh = { attempt: 0, attemptsBefore: 0, leaseOwner: null, leaseUntil: null, fence: 0 };
  return (notificationPk: number, { notification: { tenant }, ...send }: NewSend, at: Date): void => {
    const base = (send.scheduledAt ?? at).getTime();
    for (const { dueInMs, ...one } of send.deliveries) {
      const times = { dueAt: dueInMs === null ? null : new Date(base + dueInMs), settledAt: one.status === "skipped" ? at : null };
      insert.run({ ...fresh, ...one, ...times, notificationPk, tenant });
    }
  };
}

function named(key: string): string {
  return `:${key}`;
}
