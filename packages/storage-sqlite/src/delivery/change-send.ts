import type { AuditEntry, CreatedItem, SendStatus } from "@belfry/core";
import type { NewAuditEntry, SendUpdate, SendUpdated } from "@belfry/core/storage";
import type { Grouped } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteItems } from "../inbox/write-items.ts";
import { prepareNoteOrLeave } from "./item-updates.ts";

/** Names a tenant's notification. */
export interface Name {
  readonly tenant: string;
  readonly id: string;
}

/** Changes the content of a pending send. */
export function prepareUpdateSend(context: QueryContext) {
  const find = context.prepare<Name, { readonly pk: number; readonly status: SendStatus }>(`
    SELECT n.pk, t.status FROM belfry_notifications n CROSS JOIN belfry_trackings t ON t.notification_pk = n.pk
    WHERE n.tenant = :tenant AND n.id = :id`);
  const writeAudit = prepareWriteAudit(context);
  const noteOrLeave = prepareNoteOrLeave(context);
  const parts = [
    `UPDATE belfry_notifications SET title = coalesce(:title, title), message = coalesce(:message, message), data = coalesce(:data, data),
      url = coalesce(:url, url), rendered = nullif(rendered & :keptRendered, 0) WHERE pk = :pk`,
    "UPDATE belfry_sends SET meta = coalesce(:meta, meta) WHERE notification_pk = :pk",
    "UPDATE belfry_trackings SET updated_at = :at WHERE notification_pk = :pk",
  ].map((text) => context.prepare<object>(text));
  return (tenant: string, given: string, change: SendUpdate): SendUpdated => {
    const id = given.toLowerCase();
    const found = find.get({ tenant, id });
    if (found?.status !== "pending") {
      return found === undefined ? "unknown" : "not_pending";
    }
    const { title = null, message = null, meta = null, data = null, url = null, keptRendered, at, actor } = change;
    for (const part of parts) {
      part.run({ tenant, pk: found.pk, title, message, meta, data, url, keptRendered, at });
    }
    writeAudit(tenant, { action: "updated", actor, notificationId: id }, at);
    return noteOrLeave({ pk: found.pk, tenant, at: at.getTime() }) ? "updating" : "updated";
  };
}

/** What items take from their notification. */
interface Placed extends Grouped {
  readonly pk: number;
  readonly type: string;
  readonly category: string | null;
  readonly expiresAt: number | null;
}

/** Writes the items of a scheduled send for users who have none yet. */
export function preparePlaceItems(context: QueryContext) {
  const writeItems = prepareWriteItems(context);
  const find = context.prepare<Name, Placed>(
    `SELECT pk, type, category, expires_at AS "expiresAt", group_name AS "group", replace_key AS "replaceKey", sender AS actor
    FROM belfry_notifications WHERE tenant = :tenant AND id = :id`,
  );
  const placed = context.prepare<{ readonly pk: number }, CreatedItem>(`
    SELECT i.user_id AS "userId", i.seq, c.epoch FROM belfry_inbox_items i
    CROSS JOIN belfry_inbox_counters c ON c.tenant = i.tenant AND c.user_id = i.user_id WHERE i.notification_pk = (SELECT :pk)`);
  return ({ tenant, id }: Name, users: readonly string[], at: Date): readonly CreatedItem[] => {
    const found = find.get({ tenant, id });
    if (found === undefined) {
      return [];
    }
    const before = new Map(placed.all({ pk: found.pk }).map((item) => [item.userId, item]));
    const missing = users.filter((userId) => !before.has(userId));
    const { pk: notificationPk, expiresAt: end, ...notification } = found;
    const expiresAt = end === null ? null : new Date(end);
    for (const item of writeItems({ ...notification, expiresAt, tenant, notificationPk, createdAt: at }, missing)) {
      before.set(item.userId, item);
    }
    return users.flatMap((userId) => before.get(userId) ?? []);
  };
}

/** Writes a line of the audit log. */
export function prepareWriteAudit({ prepare }: QueryContext) {
  const insert = prepare<Omit<AuditEntry, "number">>(`
    INSERT INTO belfry_audit_log (tenant, at, action, actor, notification_id, target_kind, target_id, details)
    VALUES (:tenant, :at, :action, :actor, :notificationId, :targetKind, :targetId, :details)`);
  return (tenant: string, entry: NewAuditEntry, at: Date): void => {
    insert.run({ targetKind: null, targetId: null, details: null, ...entry, tenant, at });
  };
}
