import { type CreatedItem, isUuid } from "@belfry/core";
import type { AlsoChanged, NewAuditEntry, PlacedNotification, SendUpdate, SendUpdated } from "@belfry/core/storage";
import { isGrouped, withAlso } from "@belfry/storage-sql";
import type { Connection, Session } from "../database/connection.ts";
import { lists, type StorageTime, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { LOCK_TIMEOUT_MS, lockGuard } from "../inbox/inbox-state.ts";
import { prepareSettleCreated } from "../inbox/settle-created.ts";
import { writeItems } from "../inbox/write-items.ts";
import { prepareNoteOrLeave } from "./item-updates.ts";

interface SendName {
  readonly tenant: string;
  readonly id: string;
}

/** Changes a pending send's content; inside a transaction of the caller's. */
export function prepareUpdateSend(tables: TableNames, time: StorageTime) {
  const { notifications, trackings, sends } = tables;
  const writeAudit = prepareWriteAudit(tables);
  const noteOrLeave = prepareNoteOrLeave(tables);
  const holdSend = statement<[status: string, pk: number]>(
    "hold_send",
    `SELECT t.status, n.pk FROM ${notifications} n JOIN ${trackings} t ON t.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = $2 FOR UPDATE OF t`,
  );
  const content = statement<[]>(
    "update_content",
    `UPDATE ${notifications} SET title = coalesce($3, title), message = coalesce($4, message), data = coalesce($5::json, data),
      url = coalesce($6, url), rendered = nullif(rendered & $7::integer, 0) WHERE tenant = $1 AND id = $2`,
  );
  const details = statement<[]>(
    "update_send",
    `WITH n AS (SELECT pk FROM ${notifications} WHERE tenant = $1 AND id = $2),
    detailed AS (UPDATE ${sends} s SET meta = $3::json FROM n WHERE s.notification_pk = n.pk AND $3::json IS NOT NULL)
    UPDATE ${trackings} t SET updated_at = ${timeOf("$4")} FROM n WHERE t.notification_pk = n.pk`,
  );
  const write = async (session: Session, { tenant, id }: SendName, { at, actor, ...change }: SendUpdate): Promise<void> => {
    const { title = null, message = null, meta, data, url = null, keptRendered } = change;
    await session.rows(content, [tenant, id, title, message, data === undefined ? null : JSON.stringify(data), url, keptRendered]);
    await session.rows(details, [tenant, id, meta === undefined ? null : JSON.stringify(meta), time(at)]);
    await writeAudit(session, [{ tenant, action: "updated", actor, notificationId: id }], time(at));
  };
  return (tenant: string, id: string, update: SendUpdate) =>
    async (session: Session): Promise<SendUpdated> => {
      const [held] = isUuid(id) ? await session.rows(holdSend, [tenant, id]) : [];
      if (held === undefined) {
        return "unknown";
      }
      if (held[0] !== "pending") {
        return "not_pending";
      }
      const isLeft = await noteOrLeave(session, { tenant, pk: held[1], at: time(update.at) });
      await write(session, { tenant, id }, update);
      return isLeft ? "updating" : "updated";
    };
}

/** Writes the items of a scheduled send for users who have none yet. */
export function preparePlaceItems(tables: TableNames, time: StorageTime) {
  const { notifications, inboxItems, inboxCounters } = tables;
  const place = statement<[userId: string]>(
    "place_items",
    `WITH ${lockGuard(LOCK_TIMEOUT_MS)},
    n AS MATERIALIZED (SELECT pk, tenant, type, category, group_name, replace_key, expires_at FROM ${notifications} WHERE tenant = $1 AND id = $2 FOR KEY SHARE),
    target AS MATERIALIZED (
      SELECT r.place, n.pk, n.tenant, r.user_id COLLATE "C" AS user_id, n.type, n.category, n.group_name, n.replace_key, n.expires_at, ${timeOf("$4")} AS created_at
      FROM guard CROSS JOIN n CROSS JOIN unnest($3::text[]) WITH ORDINALITY AS r(user_id, place)
      WHERE guard.lock_timeout IS NOT NULL AND NOT EXISTS (
        SELECT FROM ${inboxItems} i WHERE i.notification_pk = n.pk AND i.user_id = r.user_id)
    ),
    ${writeItems(tables)}
    SELECT user_id FROM numbered`,
  );
  const placed = statement<[userId: string, seq: number, epoch: string]>(
    "placed_items",
    `SELECT i.user_id, i.seq, c.epoch FROM ${notifications} n JOIN ${inboxItems} i ON i.notification_pk = n.pk
    JOIN ${inboxCounters} c ON c.tenant = i.tenant AND c.user_id = i.user_id
    WHERE n.tenant = $1 AND n.id = $2 AND i.user_id = ANY ($3::text[]) ORDER BY i.user_id`,
  );
  const settle = prepareSettleCreated(tables);
  return (notification: PlacedNotification, users: readonly string[], at: Date) => {
    const { tenant, id } = notification;
    const placeAll = async (session: Session): Promise<readonly CreatedItem[]> => {
      const missing = new Set((await session.rows(place, [tenant, id, users, time(at)])).map(([userId]) => userId));
      const rows = await session.rows(placed, [tenant, id, users]);
      const items = rows.map(([userId, seq, epoch]) => ({ userId, seq, epoch }));
      const fresh = items
        .filter(({ userId }) => missing.has(userId))
        .map((item) => ({ item, notification: { ...notification, createdAt: at } }));
      const also = isGrouped(notification) ? await settle(session, fresh) : new Map<CreatedItem, readonly AlsoChanged[]>();
      return items.map((item) => withAlso(item, also.get(item)));
    };
    return (connection: Connection) => (isGrouped(notification) ? connection.transaction(placeAll) : placeAll(connection));
  };
}

/** A line to write to the audit log. */
export interface TenantAuditEntry extends NewAuditEntry {
  readonly tenant: string;
}

/** Writes lines of the audit log; `at` null is the database's time. */
export function prepareWriteAudit({ auditLog }: TableNames) {
  const insert = statement<[]>(
    "write_audit",
    `INSERT INTO ${auditLog} (tenant, at, action, actor, notification_id, target_kind, target_id, details)
    SELECT e.tenant, ${timeOf("$8")}, e.action, e.actor, e.id, e.target_kind, e.target_id, e.details
    FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[])
      AS e(tenant, action, actor, id, target_kind, target_id, details)`,
  );
  return async (session: Session, entries: readonly TenantAuditEntry[], at: string | null): Promise<void> => {
    if (entries.length > 0) {
      const rows = entries.map((entry) => ({ targetKind: null, targetId: null, details: null, ...entry }));
      await session.rows(insert, [...lists(rows, "tenant", "action", "actor", "notificationId", "targetKind", "targetId", "details"), at]);
    }
  };
}

/** Writes one line of the audit log. */
export function prepareNote(tables: TableNames, time: StorageTime) {
  const writeAudit = prepareWriteAudit(tables);
  return (tenant: string, entry: NewAuditEntry, at: Date) => (session: Session) => writeAudit(session, [{ ...entry, tenant }], time(at));
}
