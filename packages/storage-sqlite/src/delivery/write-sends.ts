import type { CreatedItem, EntryPlan, SendDetails } from "@belfry/core";
import type { GivenLease, IdempotencyKey, NewSend, SendCreated } from "@belfry/core/storage";
import {
  askThrottles,
  audienceInParts,
  entryOfSend,
  leasedIf,
  newTracking,
  type StoredDelivery,
  type ThrottleRow,
  type Tracking,
  throttleStatements,
  throttlesToLock,
} from "@belfry/storage-sql";
import { prepareSendBroadcast } from "../audiences/write-broadcast.ts";
import type { Connection } from "../database/connection.ts";
import { DIALECT, TABLES } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";
import { prepareBeginFanOut, prepareWriteList, storeList } from "../inbox/fan-outs.ts";
import { prepareWriteEntry } from "../inbox/write-items.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { RECORDS } from "./rows.ts";

/** How many deliveries a part of a large audience has: a transaction of so many takes some 10 ms. */
export const PART_DELIVERIES = 200;

/** The result of writing a send. */
export interface WrittenSend {
  readonly created: SendCreated;
  /** False if nothing was written. */
  readonly isNew: boolean;
}

/** Writes a send with all that goes with it, inside a transaction that the caller opened. A list that is stored already has the key `listPk`. */
export function prepareWriteSend(context: QueryContext) {
  const writeEntry = prepareWriteEntry(context);
  const writeAudit = prepareWriteAudit(context);
  const { findKey, writeKey } = prepareKeys(context);
  const throttle = prepareThrottle(context);
  const writeTracking = prepareWriteTracking(context);
  const writeDeliveries = prepareWriteDeliveries(context);
  const find = context.prepare<{ readonly tenant: string; readonly id: string }, { readonly pk: number }>(`
    SELECT pk FROM belfry_notifications WHERE tenant = :tenant AND id = :id`);
  const writeList = prepareWriteList(context);
  const beginFanOut = prepareBeginFanOut(context);
  const sendBroadcast = prepareSendBroadcast(context);
  const writeFanOut = (notificationPk: number, send: NewSend, listPk: number | undefined) => {
    const { notification, fanOut, audience, everyone } = send;
    const { tenant, createdAt } = notification;
    if (everyone !== undefined) {
      sendBroadcast({ ...everyone, tenant, notificationPk, createdAt, isPaged: fanOut !== undefined });
    }
    if (listPk !== undefined) {
      beginFanOut({ pk: listPk, notificationPk, dropAt: null });
    } else if (fanOut !== undefined) {
      const pk = writeList.begin({ tenant, plan: fanOut.plan, notificationPk, dropAt: null });
      writeList.parts(pk, audienceInParts({ fanOut, audience, everyone }, PART_DELIVERIES));
    }
  };
  return (send: NewSend, at: Date, listPk?: number): WrittenSend => {
    const { notification } = send;
    const { tenant, id } = notification;
    const isNew = find.get({ tenant, id }) === undefined;
    const used = isNew ? findKey(send) : undefined;
    if (used !== undefined) {
      return { created: { kind: "repeated", ...used }, isNew: false };
    }
    const { items, notificationPk } = writeEntry(entryOfSend(send));
    const created = { kind: "created", items: ofRecipients(items, send), ...leasedIf(isNew && send.throttles === null, send) } as const;
    if (!isNew) {
      return { created, isNew };
    }
    const written = throttle(send);
    writeKey(written, at);
    writeTracking(notificationPk, written);
    writeDeliveries(notificationPk, written, at);
    writeFanOut(notificationPk, send, listPk);
    writeAudit(tenant, { action: "created", actor: send.actor, notificationId: id }, at);
    return { created: written === send ? created : { ...created, throttled: written }, isNew };
  };
}

/** Asks the throttles of a send, and answers it as it is to be written. */
export function prepareThrottle({ prepareRows }: QueryContext) {
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

/** The sends to write, and the keys of their lists that are stored. */
export interface SendsToWrite {
  readonly sends: readonly NewSend[];
  readonly lists: ReadonlyMap<NewSend, number>;
}

/** Writes several sends. The list of one that was written before is dropped. */
export function prepareCreateSends(context: QueryContext) {
  const writeSend = prepareWriteSend(context);
  const beginFanOut = prepareBeginFanOut(context);
  return ({ sends, lists }: SendsToWrite, at: Date): readonly SendCreated[] =>
    sends.map((send) => {
      const pk = lists.get(send);
      const { created, isNew } = writeSend(send, at, pk);
      if (pk !== undefined && !isNew) {
        beginFanOut({ pk, notificationPk: null, dropAt: at });
      }
      return created;
    });
}

/** Stores the lists of large audiences in steps. */
export async function storeLists(connection: Connection, sends: readonly NewSend[], at: Date): Promise<SendsToWrite> {
  const lists = new Map<NewSend, number>();
  for (const send of sends) {
    const { fanOut, audience, everyone, notification } = send;
    if (fanOut !== undefined) {
      const parts = audienceInParts({ fanOut, audience, everyone }, PART_DELIVERIES);
      lists.set(send, await storeList(connection, { tenant: notification.tenant, plan: fanOut.plan, parts }, at));
    }
  }
  return { sends, lists };
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
export function prepareWriteDeliveries({ prepare }: QueryContext) {
  const { delivery } = RECORDS.fields;
  const insert = prepare<StoredDelivery & { readonly notificationPk: number }>(`
    INSERT INTO belfry_deliveries (notification_pk, ${delivery.names}) VALUES (:notificationPk, ${delivery.members(named)})`);
  const insertEntry = prepare<EntryValues>(`
    INSERT INTO belfry_digest_entries (delivery_pk, due_at, plan) VALUES (:deliveryPk, :dueAt, :plan)`);
  return (notificationPk: number, { notification: { tenant }, ...send }: NewSend, at: Date): void => {
    const base = (send.scheduledAt ?? at).getTime();
    for (const { dueInMs, digest: plan, lease, ...one } of send.deliveries) {
      const fresh = { ...leaseOf(lease, at), attemptsBefore: 0 };
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

/** The lease that a delivery is written with, as claimed once, or none. */
function leaseOf(lease: GivenLease | undefined, at: Date): Pick<StoredDelivery, "attempt" | "fence" | "leaseOwner" | "leaseUntil"> {
  return lease === undefined
    ? { attempt: 0, fence: 0, leaseOwner: null, leaseUntil: null }
    : { attempt: 1, fence: 1, leaseOwner: lease.owner, leaseUntil: new Date(at.getTime() + lease.leaseMs) };
}

function named(key: string): string {
  return `:${key}`;
}
