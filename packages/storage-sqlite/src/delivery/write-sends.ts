import type { CreatedItem, EntryPlan, SendDetails } from "@belfry/core";
import type { IdempotencyKey, NewSend, SendCreated } from "@belfry/core/storage";
import {
  askThrottles,
  newTracking,
  type StoredDelivery,
  type ThrottleRow,
  type Tracking,
  throttleStatements,
  throttlesToLock,
} from "@belfry/storage-sql";
import { DIALECT, TABLES } from "../database/sql.ts";
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
  const { findKey, writeKey } = prepareKeys(context);
  const throttle = prepareThrottle(context);
  const writeTracking = prepareWriteTracking(context);
  const writeDeliveries = prepareWriteDeliveries(context);
  const find = context.prepare<{ readonly tenant: string; readonly id: string }, { readonly pk: number }>(`
    SELECT pk FROM belfry_notifications WHERE tenant = :tenant AND id = :id`);
  return (send: NewSend, at: Date): WrittenSend => {
    const { notification, inboxRecipients: recipients } = send;
    const { tenant, id } = notification;
    const isNew = find.get({ tenant, id }) === undefined;
    const used = isNew ? findKey(send) : undefined;
    if (used !== undefined) {
      return { created: { kind: "repeated", ...used }, isNew: false };
    }
    const { items, notificationPk } = writeEntry({ notification, recipients });
    const created = { kind: "created", items: ofRecipients(items, send) } as const;
    if (!isNew) {
      return { created, isNew };
    }
    const written = throttle(send);
    writeKey(written, at);
    writeTracking(notificationPk, written);
    writeDeliveries(notificationPk, written, at);
    writeAudit(tenant, { action: "created", actor: send.actor, notificationId: id }, at);
    return { created: written === send ? created : { ...created, throttled: written }, isNew };
  };
}

/** Asks the throttles of a send, and answers it as it is to be written. */
function prepareThrottle({ prepareRows }: QueryContext) {
  const { lock, keep } = throttleStatements(TABLES, DIALECT);
  const locked = prepareRows<readonly unknown[], ThrottleRow>(lock);
  const kept = prepareRows<readonly unknown[], never>(keep);
  return (send: NewSend): NewSend => {
    const asked = throttlesToLock([send]);
    if (asked === null) {
      return send;
    }
    const { sends, kept: rows } = askThrottles([send], locked.all([asked]));
    kept.run([rows]);
    return sends[0] ?? send;
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

/** The idempotency keys of sends: the entry that one already has, and a new one. */
function prepareKeys({ prepare }: QueryContext) {
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
  return {
    findKey: ({ notification: { tenant }, idempotency }: NewSend) =>
      idempotency === null ? undefined : find.get({ tenant, key: idempotency.key }),
    writeKey: ({ notification: { tenant, id: notificationId }, idempotency }: NewSend, at: Date): void => {
      if (idempotency !== null) {
        insert.run({ ...idempotency, tenant, notificationId, at });
      }
    },
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

interface EntryValues {
  readonly deliveryPk: number;
  readonly dueAt: Date;
  readonly plan: EntryPlan;
}

/** Writes deliveries that nobody has attempted yet. */
function prepareWriteDeliveries({ prepare }: QueryContext) {
  const { delivery } = RECORDS.fields;
  const insert = prepare<StoredDelivery & { readonly notificationPk: number }>(`
    INSERT INTO belfry_deliveries (notification_pk, ${delivery.names}) VALUES (:notificationPk, ${delivery.members(named)})`);
  const insertEntry = prepare<EntryValues>(`
    INSERT INTO belfry_digest_entries (delivery_pk, due_at, plan) VALUES (:deliveryPk, :dueAt, :plan)`);
  const fresh = { attempt: 0, attemptsBefore: 0, leaseOwner: null, leaseUntil: null, fence: 0 };
  return (notificationPk: number, { notification: { tenant }, ...send }: NewSend, at: Date): void => {
    const base = (send.scheduledAt ?? at).getTime();
    for (const { dueInMs, digest: plan, ...one } of send.deliveries) {
      const dueAt = dueInMs === null ? null : new Date(base + dueInMs);
      const settledAt = one.status === "skipped" ? at : null;
      if (plan === null) {
        insert.run({ ...fresh, ...one, dueAt, settledAt, notificationPk, tenant });
        continue;
      }
      const { lastInsertRowid } = insert.run({ ...fresh, ...one, dueAt: null, settledAt, notificationPk, tenant });
      insertEntry.run({ deliveryPk: Number(lastInsertRowid), dueAt: dueAt ?? at, plan });
    }
  };
}

function named(key: string): string {
  return `:${key}`;
}
