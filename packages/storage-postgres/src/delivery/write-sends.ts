import type { CreatedItem } from "@belfry/core";
import type { NewSend, SendCreated, StepRange, SweepStep } from "@belfry/core/storage";
import { newTracking } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { recordset } from "../database/fields.ts";
import { type StorageTime, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { BUSY_TIMEOUT_MS, LOCK_TIMEOUT_MS } from "../inbox/inbox-state.ts";
import { prepareWriteEntries, prepareWrittenItems } from "../inbox/write-items.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { RECORDS } from "./rows.ts";

type KeyRow = readonly [place: number, isNew: boolean, bodyHash: string, response: string];

/** Writes sends inside a transaction that the caller opened. */
export function prepareCreateSends(tables: TableNames, time: StorageTime) {
  const writeEntries = prepareWriteEntries(tables);
  const writtenItems = prepareWrittenItems(tables);
  const writeKeys = prepareWriteKeys(tables);
  const writeDetails = prepareWriteSendDetails(tables);
  const known = statement<[place: number]>(
    "known_sends",
    `SELECT e.place::int FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS e(tenant, id, place)
    WHERE EXISTS (SELECT FROM ${tables.notifications} n WHERE n.tenant = e.tenant AND n.id = e.id)`,
  );
  const write = async (session: Session, sends: readonly NewSend[], at: string | null): Promise<readonly SendCreated[]> => {
    const places = await session.rows(known, [
      sends.map(({ notification }) => notification.tenant),
      sends.map(({ notification }) => notification.id),
    ]);
    const before = new Set(places.map(([place]) => sends[place - 1]));
    const unknown = sends.filter((send) => !before.has(send));
    const repeated = await writeKeys(session, unknown, at);
    const fresh = unknown.filter((send) => !repeated.has(send));
    const entryOf = ({ notification, inboxRecipients }: NewSend) => ({ notification, recipients: inboxRecipients });
    const items = new Map<NewSend, readonly CreatedItem[]>();
    if (fresh.length > 0) {
      // A batch does not hold inboxes for long while it waits for one: its sends are then written one by one.
      const lockTimeoutMs = fresh.length > 1 ? BUSY_TIMEOUT_MS : LOCK_TIMEOUT_MS;
      const written = await writeEntries(session, fresh.map(entryOf), { lockTimeoutMs });
      for (const [index, send] of fresh.entries()) {
        items.set(send, written[index] ?? []);
      }
      await writeDetails(session, fresh, at);
    }
    if (before.size > 0) {
      const entries = new Map(sends.filter((send) => before.has(send)).map((send) => [entryOf(send), send]));
      for (const [entry, found] of await writtenItems(session, [...entries.keys()])) {
        items.set(entries.get(entry) as NewSend, found);
      }
    }
    return sends.map((send) => repeated.get(send) ?? { kind: "created", items: items.get(send) ?? [] });
  };
  return (sends: readonly NewSend[], at: Date) => (session: Session) => write(session, sends, time(at));
}

/** Keeps idempotency keys; answers the sends whose key was used before. Waits for those who are using one at this moment. */
function prepareWriteKeys({ idempotencyKeys }: TableNames) {
  const insert = statement<[place: number]>(
    "write_keys",
    `WITH e AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS e(tenant, key, body_hash, response, place)),
    written AS (
      INSERT INTO ${idempotencyKeys} (tenant, key, body_hash, response, created_at)
      SELECT tenant, key, body_hash, response, ${timeOf("$5")} FROM e ORDER BY tenant, key ON CONFLICT DO NOTHING RETURNING tenant, key
    )
    SELECT e.place::int FROM e JOIN written ON written.tenant = e.tenant COLLATE "C" AND written.key = e.key COLLATE "C"`,
  );
  const find = statement<KeyRow>(
    "used_keys",
    `SELECT e.place::int, false, k.body_hash, k.response FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS e(tenant, key, place)
    JOIN ${idempotencyKeys} k ON k.tenant = e.tenant AND k.key = e.key`,
  );
  return async (session: Session, sends: readonly NewSend[], at: string | null): Promise<Map<NewSend, SendCreated>> => {
    const keyed = sends.filter(({ idempotency }) => idempotency !== null);
    if (keyed.length === 0) {
      return new Map();
    }
    const names = [keyed.map(({ notification }) => notification.tenant), keyed.map(({ idempotency }) => idempotency?.key)];
    const rest = [keyed.map(({ idempotency }) => idempotency?.bodyHash), keyed.map(({ idempotency }) => idempotency?.response)];
    const written = new Set((await session.rows(insert, [...names, ...rest, at])).map(([place]) => place));
    if (written.size === keyed.length) {
      return new Map();
    }
    // A statement of its own: it sees what the one above waited for.
    const used = await session.rows(find, names);
    return new Map(
      used.flatMap(([place, , bodyHash, response]) => {
        const send = keyed[place - 1];
        return send === undefined || written.has(place) ? [] : [[send, { kind: "repeated", bodyHash, response }] as const];
      }),
    );
  };
}

/** Writes what sends have beside notification, items and key. */
export function prepareWriteSendDetails(tables: TableNames) {
  const writeAudit = prepareWriteAudit(tables);
  const { tracking, details } = RECORDS.fields;
  const member = (key: string) => `e."${key}"`;
  const insertTrackings = statement<[]>(
    "write_trackings",
    `WITH detailed AS (
      INSERT INTO ${tables.sends} (notification_pk, tenant, ${details.names})
      SELECT n.pk, n.tenant, ${details.members(member)} FROM json_to_recordset($2) AS e(tenant text, id uuid, ${recordset(details)})
      JOIN ${tables.notifications} n ON n.tenant = e.tenant AND n.id = e.id
    )
    INSERT INTO ${tables.trackings} (notification_pk, created_at, ${tracking.names})
    SELECT n.pk, n.created_at, ${tracking.members(member)} FROM json_to_recordset($1) AS e(id uuid, ${recordset(tracking)})
    JOIN ${tables.notifications} n ON n.tenant = e.tenant AND n.id = e.id`,
  );
  const insertDeliveries = statement<[]>(
    "write_deliveries",
    `INSERT INTO ${tables.deliveries} (id, notification_pk, tenant, channel, recipient, chain, is_fallback, status, attempt, attempts_before, due_at, fence)
    SELECT e.id, n.pk, n.tenant, e.channel, e.recipient, e.chain, e.is_fallback, e.status, 0, 0,
      coalesce(e.scheduled_at, ${timeOf("$11")}) + e.due_in_ms * interval '1 millisecond', 0
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::int[], $7::boolean[], $8::text[], $9::bigint[], $10::timestamptz[])
      WITH ORDINALITY AS e(id, tenant, notification_id, channel, recipient, chain, is_fallback, status, due_in_ms, scheduled_at, place)
    JOIN ${tables.notifications} n ON n.tenant = e.tenant AND n.id = e.notification_id ORDER BY e.place`,
  );
  return async (session: Session, sends: readonly NewSend[], at: string | null): Promise<void> => {
    const named = sends.map((send) => ({ send, name: { tenant: send.notification.tenant, id: send.notification.id } }));
    const trackings = named.map(({ send, name }) => ({ ...newTracking(send), ...name }));
    const choices = named.flatMap(({ send, name }) => (send.details === null ? [] : [{ ...send.details, ...name }]));
    await session.rows(insertTrackings, [JSON.stringify(trackings), JSON.stringify(choices)]);
    await session.rows(insertDeliveries, [...deliveryValues(sends), at]);
    const audit = sends.map(({ notification: { tenant, id }, actor }) => ({
      tenant,
      notificationId: id,
      actor,
      action: "created" as const,
    }));
    await writeAudit(session, audit, at);
  };
}

function deliveryValues(sends: readonly NewSend[]): readonly unknown[] {
  const all = sends.flatMap(({ notification: { tenant, id }, scheduledAt, deliveries }) =>
    deliveries.map((delivery) => ({ ...delivery, tenant, notificationId: id, scheduledAt: scheduledAt?.toISOString() ?? null })),
  );
  return [
    all.map(({ id }) => id),
    all.map(({ tenant }) => tenant),
    all.map(({ notificationId }) => notificationId),
    all.map(({ channel }) => channel),
    all.map(({ recipient }) => recipient),
    all.map(({ chain }) => chain),
    all.map(({ isFallback }) => isFallback),
    all.map(({ status }) => status),
    all.map(({ dueInMs }) => dueInMs),
    all.map(({ scheduledAt }) => scheduledAt),
  ];
}

/**
 * Looks at sends of all tenants, oldest first, and removes old ones that are settled and in no inbox any more. The sends
 * are held before their deliveries are looked at, so that none that is retried at this moment goes; those that another
 * transaction holds stay.
 */
export function prepareSweepSends({ deliveries, fanOutChunks, inboxItems, notifications, trackings }: TableNames) {
  const lookAt = statement<readonly [pk: number, isOld: boolean]>(
    "look_at_sends",
    `SELECT notification_pk, created_at < $3::timestamptz FROM ${trackings} WHERE notification_pk > $1 ORDER BY notification_pk LIMIT $2`,
  );
  const hold = statement<readonly [pk: number]>(
    "hold_old_sends",
    `SELECT notification_pk FROM ${trackings} WHERE notification_pk = ANY ($1::bigint[]) ORDER BY notification_pk FOR UPDATE SKIP LOCKED`,
  );
  // Foreign keys remove the rows that belong to a notification.
  const remove = statement<readonly [one: number]>(
    "sweep_sends",
    `DELETE FROM ${notifications} n WHERE n.pk = ANY ($1::bigint[])
      AND NOT EXISTS (SELECT FROM ${deliveries} d WHERE d.notification_pk = n.pk AND d.status IN ('pending', 'waiting'))
      AND NOT EXISTS (SELECT FROM ${inboxItems} i WHERE i.notification_pk = n.pk)
      AND NOT EXISTS (SELECT FROM ${fanOutChunks} f WHERE f.notification_pk = n.pk)
    RETURNING 1`,
  );
  return (before: Date, { after, limit }: StepRange) =>
    async (session: Session): Promise<SweepStep> => {
      const rows = await session.rows(lookAt, [Number(after ?? 0), limit, before.toISOString()]);
      const held = await session.rows(hold, [rows.filter(([, isOld]) => isOld).map(([pk]) => pk)]);
      const removed = await session.rows(remove, [held.map(([pk]) => pk)]);
      const last = rows.length < limit ? undefined : rows.at(-1);
      return { removed: removed.length, next: last?.[1] ? String(last[0]) : null };
    };
}
