import type { CreatedItem } from "@belfry/core";
import type { NewSend, SendCreated } from "@belfry/core/storage";
import { audienceInParts, entryOfSend, isGrouped, leasedIf, newTracking } from "@belfry/storage-sql";
import { prepareSendBroadcast } from "../audiences/write-broadcast.ts";
import type { Connection, Session } from "../database/connection.ts";
import { isRepeated } from "../database/errors.ts";
import { recordset } from "../database/fields.ts";
import { lists, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareWriteList } from "../inbox/fan-outs.ts";
import { lockGuard } from "../inbox/inbox-state.ts";
import { NOTIFICATION_FIELDS } from "../inbox/item-row.ts";
import { prepareWriteEntries, prepareWrittenItems, writeItems } from "../inbox/write-items.ts";
import { prepareWriteAudit, type TenantAuditEntry } from "./change-send.ts";
import { RECORDS } from "./rows.ts";
import { prepareThrottle } from "./throttle.ts";
import {
  byKey,
  DELIVERY_MEMBERS,
  deliveryValues,
  insertDeliveries,
  isEntry,
  type JoinNotification,
  prepareWriteDeliveries,
} from "./write-deliveries.ts";
import { prepareWriteKeys } from "./write-keys.ts";

/** Whether a send is written without a look at anything else. */
function isPlain({ idempotency, throttles, deliveries, fanOut, notification, audience, everyone }: NewSend): boolean {
  const hasMore = fanOut !== undefined || audience !== undefined || everyone !== undefined;
  const isAlone = idempotency === null && throttles === null && !hasMore;
  return isAlone && !deliveries.some(isEntry) && !isGrouped(notification);
}

/** When sends are written, by the service's time or null, and how long they wait for what others hold. */
interface Waiting {
  readonly at: string | null;
  readonly lockTimeoutMs: number;
}

/**
 * Writes sends, all or none: in one statement if none has an idempotency key or a throttle, or waits for a digest, and all are new, as
 * they usually are; else in a transaction.
 */
export function prepareWriteSends(tables: TableNames) {
  const writeNew = prepareWriteNewSends(tables);
  const writeAny = prepareWriteAnySends(tables);
  return async (connection: Connection, sends: readonly NewSend[], waiting: Waiting): Promise<readonly SendCreated[]> => {
    if (sends.every(isPlain)) {
      try {
        return await writeNew(connection, sends, waiting);
      } catch (error) {
        if (!isRepeated(error)) {
          throw error;
        }
      }
    }
    return connection.transaction((session) => writeAny(session, sends, waiting));
  };
}

/** Writes sends inside a transaction that the caller opened; some may have been written before. */
function prepareWriteAnySends(tables: TableNames) {
  const writeEntries = prepareWriteEntries(tables);
  const writtenItems = prepareWrittenItems(tables);
  const writeKeys = prepareWriteKeys(tables);
  const writeDetails = prepareWriteSendDetails(tables);
  const throttle = prepareThrottle(tables);
  const known = statement<[place: number]>(
    "known_sends",
    `SELECT e.place::int FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS e(tenant, id, place)
    WHERE EXISTS (SELECT FROM ${tables.notifications} n WHERE n.tenant = e.tenant AND n.id = e.id)`,
  );
  return async (session: Session, sends: readonly NewSend[], { at, lockTimeoutMs }: Waiting): Promise<readonly SendCreated[]> => {
    const named = sends.map(({ notification }) => notification);
    const places = await session.rows(known, lists(named, "tenant", "id"));
    const before = new Set(places.map(([place]) => sends[place - 1]));
    const unknown = sends.filter((send) => !before.has(send));
    const repeated = await writeKeys(session, unknown, at);
    const fresh = unknown.filter((send) => !repeated.has(send));
    const items = new Map<NewSend, readonly CreatedItem[]>();
    const throttled = await throttle(session, fresh, lockTimeoutMs);
    if (fresh.length > 0) {
      const written = await writeEntries(session, fresh.map(entryOfSend), { lockTimeoutMs });
      for (const [index, send] of fresh.entries()) {
        items.set(send, written[index] ?? []);
      }
      await writeDetails(session, [...throttled.values()], { at });
    }
    if (before.size > 0) {
      const entries = new Map(sends.filter((send) => before.has(send)).map((send) => [entryOfSend(send), send]));
      for (const [entry, found] of await writtenItems(session, [...entries.keys()])) {
        items.set(entries.get(entry) as NewSend, found);
      }
    }
    const isFresh = new Set(fresh);
    return sends.map(
      (send) => repeated.get(send) ?? createdOf(send, items.get(send) ?? [], { written: throttled.get(send), isNew: isFresh.has(send) }),
    );
  };
}

/** The result of writing a send that was new, or written before. */
export function createdOf(
  send: NewSend,
  items: readonly CreatedItem[],
  { written = send, isNew }: { readonly written?: NewSend | undefined; readonly isNew: boolean },
): SendCreated {
  return { kind: "created", items, ...(written === send ? leasedIf(isNew, send) : { throttled: written }) };
}

/** Writes sends that are new and have no idempotency key in one statement, outside of a transaction: all or none. */
function prepareWriteNewSends(tables: TableNames) {
  const write = statement<[place: number, seq: number, epoch: string]>("write_new_sends", newSendsText(tables));
  return async (session: Session, sends: readonly NewSend[], { at, lockTimeoutMs }: Waiting): Promise<readonly SendCreated[]> => {
    const recipients = sends.flatMap(({ notification: { tenant, id }, inboxRecipients }) =>
      inboxRecipients.map((userId) => ({ tenant, id, userId })),
    );
    const rows = await session.rows(write, [
      ...NOTIFICATION_FIELDS.listsOf(sends.map(({ notification }) => notification)),
      ...lists(recipients, "tenant", "id", "userId"),
      lockTimeoutMs,
      ...detailValues(sends),
      ...deliveryValues(sends),
      at,
      ...lists(auditOf(sends), "tenant", "notificationId", "actor"),
    ]);
    const byPlace = new Map(rows.map(([place, seq, epoch]) => [place, { seq, epoch }]));
    let place = 0;
    return sends.map((send) => ({
      kind: "created",
      items: send.inboxRecipients.flatMap((userId) => {
        place += 1;
        const written = byPlace.get(place);
        return written === undefined ? [] : [{ userId, ...written }];
      }),
      ...leasedIf(true, send),
    }));
  };
}

/**
 * Values: the fields of notifications; the tenant, notification and user of each item; the lock timeout; trackings and details;
 * deliveries; the time; and the tenant, notification and actor of each line of the audit log.
 */
function newSendsText(tables: TableNames): string {
  const { all, names, lists: fields } = NOTIFICATION_FIELDS;
  const items = all.length;
  const details = items + 4;
  const deliveries = details + 2;
  const at = deliveries + DELIVERY_MEMBERS.length + 1;
  const list = (place: number, type: string) => `$${place}::${type}[]`;
  const join: JoinNotification = (of) => `JOIN notification n ON n.id = ${of}.notification_id AND n.tenant = ${of}.tenant COLLATE "C"`;
  return `WITH ${lockGuard(`$${items + 4}`)},
  notification AS (
    INSERT INTO ${tables.notifications} (${names}) SELECT ${names} FROM guard CROSS JOIN unnest(${fields}) AS e(${names})
    WHERE guard.lock_timeout IS NOT NULL
    RETURNING pk, tenant, id, type, created_at, category, group_name, replace_key, expires_at
  ),
  target AS MATERIALIZED (
    SELECT r.place, n.pk, n.tenant, r.user_id COLLATE "C" AS user_id, n.type, n.created_at, n.category, n.group_name, n.replace_key, n.expires_at
    FROM unnest(${list(items + 1, "text")}, ${list(items + 2, "uuid")}, ${list(items + 3, "text")})
      WITH ORDINALITY AS r(tenant, notification_id, user_id, place)
    ${join("r")}
  ),
  ${writeItems(tables)},
  detailed AS (${insertDetails(tables, join, details + 2)}),
  tracked AS (${insertTrackings(tables, join, details + 1)}),
  delivered AS (${insertDeliveries(tables, join, deliveries + 1)}),
  audited AS (
    INSERT INTO ${tables.auditLog} (tenant, at, action, actor, notification_id)
    SELECT n.tenant, ${timeOf(`$${at}`)}, 'created', e.actor, n.id
    FROM unnest(${list(at + 1, "text")}, ${list(at + 2, "uuid")}, ${list(at + 3, "text")})
      WITH ORDINALITY AS e(tenant, notification_id, actor, place)
    ${join("e")} ORDER BY e.place
  )
  SELECT place, seq, epoch FROM numbered`;
}

const member = (key: string) => `e."${key}"`;

/** An insert of the details in the JSON list that is parameter number `list`. */
function insertDetails(tables: TableNames, join: JoinNotification, list: number): string {
  const { details } = RECORDS.fields;
  return `INSERT INTO ${tables.sends} (notification_pk, tenant, ${details.names})
    SELECT n.pk, n.tenant, ${details.members(member)}
    FROM json_to_recordset($${list}) AS e(tenant text, notification_id uuid, ${recordset(details)}) ${join("e")}`;
}

/** An insert of the trackings in the JSON list that is parameter number `list`. */
function insertTrackings(tables: TableNames, join: JoinNotification, list: number): string {
  const { tracking } = RECORDS.fields;
  return `INSERT INTO ${tables.trackings} (notification_pk, created_at, ${tracking.names})
    SELECT n.pk, n.created_at, ${tracking.members(member)}
    FROM json_to_recordset($${list}) AS e(notification_id uuid, ${recordset(tracking)}) ${join("e")}`;
}

/** How many deliveries a part of a large audience has. */
export const PART_DELIVERIES = 2_000;

/** When sends are written, by the service's time or null, and the mark of the host's transaction. */
interface SendWriting {
  readonly at: string | null;
  readonly mark?: string | null;
}

/** Writes sends without their notification, items and key. Returns false if the transaction ended meanwhile, by its `mark`. */
export function prepareWriteSendDetails(tables: TableNames) {
  const writeAudit = prepareWriteAudit(tables);
  const join = byKey(tables);
  const writeTrackings = statement<[]>(
    "write_trackings",
    `WITH detailed AS (${insertDetails(tables, join, 2)}) ${insertTrackings(tables, join, 1)}`,
  );
  const writeDeliveries = prepareWriteDeliveries(tables);
  const writeList = prepareWriteList(tables);
  const sendBroadcast = prepareSendBroadcast(tables);
  return async (session: Session, sends: readonly NewSend[], { at, mark = null }: SendWriting): Promise<boolean> => {
    await session.rows(writeTrackings, detailValues(sends));
    await writeDeliveries(session, sends, at);
    await writeAudit(session, auditOf(sends), at);
    for (const { notification, fanOut, audience, everyone } of sends) {
      const isPaged = fanOut !== undefined;
      if (everyone !== undefined && !(await sendBroadcast(session, { ...everyone, notification, isPaged }, mark))) {
        return false;
      }
      if (isPaged) {
        const parts = audienceInParts({ fanOut, audience, everyone }, PART_DELIVERIES);
        if (!(await writeList(session, { ...notification, plan: fanOut.plan, parts }, mark))) {
          return false;
        }
      }
    }
    return true;
  };
}

/** The trackings and the details of sends, as JSON. */
function detailValues(sends: readonly NewSend[]): readonly [trackings: string, details: string] {
  const nameOf = ({ notification: { tenant, id } }: NewSend) => ({ tenant, notification_id: id });
  const trackings = sends.map((send) => ({ ...newTracking(send), ...nameOf(send) }));
  const details = sends.flatMap((send) => (send.details === null ? [] : [{ ...send.details, ...nameOf(send) }]));
  return [JSON.stringify(trackings), JSON.stringify(details)];
}

function auditOf(sends: readonly NewSend[]): readonly TenantAuditEntry[] {
  return sends.map(({ actor, notification: { tenant, id } }) => ({ tenant, notificationId: id, actor, action: "created" }));
}
