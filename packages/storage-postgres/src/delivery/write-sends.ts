import type { CreatedItem } from "@belfry/core";
import type { NewSend, SendCreated } from "@belfry/core/storage";
import { newTracking } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { recordset } from "../database/fields.ts";
import { lists, type StorageTime, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { BUSY_TIMEOUT_MS, LOCK_TIMEOUT_MS } from "../inbox/inbox-state.ts";
import { prepareWriteEntries, prepareWrittenItems } from "../inbox/write-items.ts";
import { prepareWriteAudit } from "./change-send.ts";
import { RECORDS } from "./rows.ts";

type KeyRow = readonly [place: number, bodyHash: string, response: string | null, notificationId: string | null];

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
    const named = sends.map(({ notification }) => notification);
    const places = await session.rows(known, lists(named, "tenant", "id"));
    const before = new Set(places.map(([place]) => sends[place - 1]));
    const unknown = sends.filter((send) => !before.has(send));
    const repeated = await writeKeys(session, unknown, at);
    const fresh = unknown.filter((send) => !repeated.has(send));
    const entryOf = ({ notification, inboxRecipients }: NewSend) => ({ notification, recipients: inboxRecipients });
    const items = new Map<NewSend, readonly CreatedItem[]>();
    if (fresh.length > 0) {
      // A batch waits only briefly, because it holds other inboxes: its sends are then written one by one.
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

/** Stores idempotency keys; answers the sends whose key was used before. Waits for transactions that are using one now. */
function prepareWriteKeys({ idempotencyKeys }: TableNames) {
  const insert = statement<[place: number]>(
    "write_keys",
    `WITH e AS (
      SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[]) WITH ORDINALITY AS e(tenant, key, body_hash, response, id, place)
    ),
    written AS (
      INSERT INTO ${idempotencyKeys} (tenant, key, body_hash, response, notification_id, created_at)
      SELECT tenant, key, body_hash, response, id, ${timeOf("$6")} FROM e ORDER BY tenant, key ON CONFLICT DO NOTHING RETURNING tenant, key
    )
    SELECT e.place::int FROM e JOIN written ON written.tenant = e.tenant COLLATE "C" AND written.key = e.key COLLATE "C"`,
  );
  const find = statement<KeyRow>(
    "used_keys",
    `SELECT e.place::int, k.body_hash, nullif(k.response, ''), k.notification_id FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS e(tenant, key, place)
    JOIN ${idempotencyKeys} k ON k.tenant = e.tenant AND k.key = e.key`,
  );
  return async (session: Session, sends: readonly NewSend[], at: string | null): Promise<Map<NewSend, SendCreated>> => {
    const keyed = sends.flatMap((send) => {
      const { tenant, id } = send.notification;
      return send.idempotency === null ? [] : [{ send, tenant, id, ...send.idempotency }];
    });
    if (keyed.length === 0) {
      return new Map();
    }
    const places = await session.rows(insert, [...lists(keyed, "tenant", "key", "bodyHash", "response", "id"), at]);
    const written = new Set(places.map(([place]) => place));
    if (written.size === keyed.length) {
      return new Map();
    }
    // A separate statement sees what the one above waited for.
    const used = await session.rows(find, lists(keyed, "tenant", "key"));
    return new Map(
      used.flatMap(([place, bodyHash, response, notificationId]) => {
        const send = keyed[place - 1]?.send;
        return send === undefined || written.has(place) ? [] : [[send, { kind: "repeated", bodyHash, response, notificationId }] as const];
      }),
    );
  };
}

/** Writes sends without their notification, items and key. */
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
    `INSERT INTO ${tables.deliveries} (id, notification_pk, tenant, channel, recipient, chain, is_fallback, status, attempt, attempts_before, due_at, fence, recipient_kind,
      reason, reason_source, settled_at)
    SELECT e.id, n.pk, n.tenant, e.channel, e.recipient, e.chain, e.is_fallback, e.status, 0, 0,
      coalesce(e.scheduled_at, ${timeOf("$14")}) + e.due_in_ms * interval '1 millisecond', 0, e.recipient_kind,
      e.reason, e.reason_source, CASE WHEN e.status = 'skipped' THEN ${timeOf("$14")} END
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::int[], $7::boolean[], $8::text[], $9::bigint[], $10::timestamptz[],
      $11::text[], $12::text[], $13::text[])
      WITH ORDINALITY AS e(id, tenant, notification_id, channel, recipient, chain, is_fallback, status, due_in_ms, scheduled_at,
        recipient_kind, reason, reason_source, place)
    JOIN ${tables.notifications} n ON n.tenant = e.tenant AND n.id = e.notification_id ORDER BY e.place`,
  );
  return async (session: Session, sends: readonly NewSend[], at: string | null): Promise<void> => {
    const named = sends.map((send) => ({ send, name: { tenant: send.notification.tenant, id: send.notification.id } }));
    const trackings = named.map(({ send, name }) => ({ ...newTracking(send), ...name }));
    const choices = named.flatMap(({ send, name }) => (send.details === null ? [] : [{ ...send.details, ...name }]));
    await session.rows(insertTrackings, [JSON.stringify(trackings), JSON.stringify(choices)]);
    await session.rows(insertDeliveries, [...deliveryValues(sends), at]);
    const audit = named.map(({ send: { actor }, name }) => ({
      tenant: name.tenant,
      notificationId: name.id,
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
  const columns = [
    "id",
    "tenant",
    "notificationId",
    "channel",
    "recipient",
    "chain",
    "isFallback",
    "status",
    "dueInMs",
    "scheduledAt",
  ] as const;
  return lists(all, ...columns, "recipientKind", "reason", "reasonSource");
}
