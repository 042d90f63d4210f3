import type { AuditAction, AuditEntry, CreatedItem, InboxItem, SendChanges } from "@belfry/core";
import type { DeletedSend, NewAuditEntry, SendUpdated } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { prepareInboxState } from "../inbox/inbox-state.ts";
import { ITEM_COLUMNS, type ItemRow, prepareReadTimes, toItem } from "../inbox/item-row.ts";
import { prepareWriteItems } from "../inbox/write-items.ts";
import { prepareFindSend } from "./read-sends.ts";

/** Names a tenant's notification. */
export interface Name {
  readonly tenant: string;
  readonly id: string;
}

const OWN_NOTIFICATION = sql`tenant = ${sql.placeholder("tenant")} and id = ${sql.placeholder("id")}`;

/** Changes what a pending send says. */
export function prepareUpdateSend(context: QueryContext) {
  const find = prepareFindSend(context);
  const writeAudit = prepareWriteAudit(context);
  const setContent = context.prepare<Name & { readonly title: string; readonly message: string }>(sql`
    update belfry_notifications set title = ${sql.placeholder("title")}, message = ${sql.placeholder("message")} where ${OWN_NOTIFICATION}`);
  const setData = context.prepare<Name & { readonly data: string }>(sql`
    update belfry_notifications set data = ${sql.placeholder("data")} where ${OWN_NOTIFICATION}`);
  const setMeta = context.prepare<Name & { readonly meta: string }>(sql`
    update belfry_sends set meta = ${sql.placeholder("meta")} where notification_pk = (select pk from belfry_notifications where ${OWN_NOTIFICATION})`);
  const touch = context.prepare<Name & { readonly at: number }>(sql`
    update belfry_trackings set updated_at = ${sql.placeholder("at")}
    where notification_pk = (select pk from belfry_notifications where ${OWN_NOTIFICATION})`);
  const noteChange = context.prepare<Name>(sql`
    update belfry_inbox_counters set rev = rev + 1 where tenant = ${sql.placeholder("tenant")} and user_id in (
      select user_id from belfry_inbox_items where deleted_at is null and notification_pk = (
        select pk from belfry_notifications where ${OWN_NOTIFICATION}))`);
  return (tenant: string, id: string, change: SendChanges & { readonly at: Date; readonly actor: string }): SendUpdated => {
    const send = find(tenant, id);
    if (send === null) {
      return "unknown";
    }
    if (send.status !== "pending") {
      return "not_pending";
    }
    const { subject = send.subject, content = send.content, meta, at, actor } = change;
    const name = { tenant, id: send.id };
    setContent.run({ ...name, title: subject, message: content });
    if (meta !== undefined) {
      const { notification_type: _, ...data } = meta;
      setData.run({ ...name, data: JSON.stringify(data) });
      setMeta.run({ ...name, meta: JSON.stringify(meta) });
    }
    noteChange.run(name);
    touch.run({ ...name, at: at.getTime() });
    writeAudit(tenant, { action: "updated", actor, notificationId: send.id }, at);
    const changed = find(tenant, send.id);
    return changed === null ? "unknown" : { send: changed };
  };
}

/** Deletes a send with everything that belongs to it. */
export function prepareDeleteSend(context: QueryContext) {
  const find = prepareFindSend(context);
  const takeItems = prepareTakeItems(context);
  const writeAudit = prepareWriteAudit(context);
  const remove = context.prepare<Name>(sql`delete from belfry_notifications where ${OWN_NOTIFICATION}`);
  // A host's connection may not enforce foreign keys, so what hangs on the notification is deleted by name.
  const parts = [
    sql`delete from belfry_delivery_attempts where delivery_pk in (select pk from belfry_deliveries where notification_pk = (
      select pk from belfry_notifications where ${OWN_NOTIFICATION}))`,
    sql`delete from belfry_deliveries where notification_pk = (select pk from belfry_notifications where ${OWN_NOTIFICATION})`,
    sql`delete from belfry_sends where notification_pk = (select pk from belfry_notifications where ${OWN_NOTIFICATION})`,
    sql`delete from belfry_trackings where notification_pk = (select pk from belfry_notifications where ${OWN_NOTIFICATION})`,
    sql`delete from belfry_inbox_items where notification_pk = (select pk from belfry_notifications where ${OWN_NOTIFICATION})`,
  ].map((statement) => context.prepare<Name>(statement));
  return (tenant: string, id: string, { at, actor }: { readonly at: Date; readonly actor: string }): DeletedSend | null => {
    const send = find(tenant, id);
    if (send === null) {
      return null;
    }
    const name = { tenant, id: send.id };
    const items = takeItems(name);
    for (const part of parts) {
      part.run(name);
    }
    remove.run(name);
    writeAudit(tenant, { action: "deleted", actor, notificationId: send.id }, at);
    return { items };
  };
}

/** Reads the items of a notification that are not deleted, and takes them out of their inboxes' counts. */
function prepareTakeItems(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const readTimes = prepareReadTimes(context);
  const users = context.prepare<Name, { readonly userId: string }>(sql`
    select i.user_id as "userId" from belfry_notifications n cross join belfry_inbox_items i on i.notification_pk = n.pk
    where n.tenant = (select ${sql.placeholder("tenant")}) and n.id = (select ${sql.placeholder("id")}) and i.deleted_at is null order by i.user_id`);
  const item = context.prepareRows<Name & { readonly userId: string }, ItemRow>(`
    SELECT ${ITEM_COLUMNS} FROM belfry_notifications n CROSS JOIN belfry_inbox_items i ON i.notification_pk = n.pk
    WHERE n.tenant = (SELECT :tenant) AND n.id = (SELECT :id) AND i.user_id = (SELECT :userId)`);
  const takeFromCounts = context.prepare<{ readonly tenant: string; readonly userId: string; readonly unread: number }>(sql`
    update belfry_inbox_counters set total = total - 1, unread = unread - ${sql.placeholder("unread")}, rev = rev + 1
    where tenant = ${sql.placeholder("tenant")} and user_id = ${sql.placeholder("userId")}`);
  return (name: Name): readonly (InboxItem & { readonly epoch: string })[] =>
    users.all(name).flatMap(({ userId }) => {
      const owner = { tenant: name.tenant, userId };
      const row = item.get({ ...name, userId });
      if (row === undefined) {
        return [];
      }
      const state = inboxState(owner);
      const was = toItem(row, owner, readTimes(owner, state));
      takeFromCounts.run({ ...owner, unread: was.readAt === null ? 1 : 0 });
      return [{ ...was, epoch: state.counts.epoch }];
    });
}

/** Writes the items of a scheduled send for users who have none yet. */
export function preparePlaceItems(context: QueryContext) {
  const writeItems = prepareWriteItems(context);
  const find = context.prepare<Name, { readonly pk: number; readonly type: string }>(sql`
    select pk, type from belfry_notifications where ${OWN_NOTIFICATION}`);
  const placed = context.prepare<{ readonly pk: number }, CreatedItem>(sql`
    select i.user_id as "userId", i.seq, c.epoch from belfry_inbox_items i
    cross join belfry_inbox_counters c on c.tenant = i.tenant and c.user_id = i.user_id where i.notification_pk = (select ${sql.placeholder("pk")})`);
  return ({ tenant, id }: Name, users: readonly string[], at: Date): readonly CreatedItem[] => {
    const found = find.get({ tenant, id });
    if (found === undefined) {
      return [];
    }
    const before = new Map(placed.all({ pk: found.pk }).map((item) => [item.userId, item]));
    const missing = users.filter((userId) => !before.has(userId));
    for (const item of writeItems({ tenant, notificationPk: found.pk, type: found.type, createdAt: at }, missing)) {
      before.set(item.userId, item);
    }
    return users.flatMap((userId) => before.get(userId) ?? []);
  };
}

/** Forgets idempotency keys that are older than a time. */
export function preparePruneKeys({ prepare }: QueryContext) {
  const remove = prepare<{ readonly before: number }>(sql`
    delete from belfry_idempotency_keys where created_at < ${sql.placeholder("before")}`);
  return (before: Date): void => {
    remove.run({ before: before.getTime() });
  };
}

/** Writes a line of the audit log. */
export function prepareWriteAudit({ prepare }: QueryContext) {
  const insert = prepare<NewAuditEntry & { readonly tenant: string; readonly at: number }>(sql`
    insert into belfry_audit_log (tenant, at, action, actor, notification_id)
    values (${sql.placeholder("tenant")}, ${sql.placeholder("at")}, ${sql.placeholder("action")}, ${sql.placeholder("actor")},
      ${sql.placeholder("notificationId")})`);
  return (tenant: string, entry: NewAuditEntry, at: Date): void => {
    insert.run({ ...entry, tenant, at: at.getTime() });
  };
}

/** Reads a tenant's audit log, newest first. */
export function prepareListAudit({ prepare }: QueryContext) {
  interface AuditRow {
    readonly number: number;
    readonly at: number;
    readonly action: AuditAction;
    readonly actor: string;
    readonly notification_id: string;
  }
  const list = prepare<{ readonly tenant: string; readonly before: number; readonly limit: number }, AuditRow>(sql`
    select number, at, action, actor, notification_id from belfry_audit_log
    where tenant = ${sql.placeholder("tenant")} and number < ${sql.placeholder("before")} order by number desc limit ${sql.placeholder("limit")}`);
  return (tenant: string, { limit, before = Number.MAX_SAFE_INTEGER }: { readonly limit: number; readonly before?: number }) =>
    list
      .all({ tenant, limit, before })
      .map(({ at, notification_id, ...row }): AuditEntry => ({ ...row, tenant, at: new Date(at), notificationId: notification_id }));
}
