import { UPDATED_AT_ONCE } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { IS_THERE_BESIDE_COUNTERS, JOIN_COUNTERS } from "../inbox/conditions.ts";

/** An update that steps go on with. */
interface RunningUpdate {
  readonly pk: number;
  readonly tenant: string;
  readonly afterUser: string;
  readonly at: number;
}

/** The next users who have an item of a notification. */
function prepareUsersAfter({ prepareRows }: QueryContext) {
  const find = prepareRows<{ readonly pk: number; readonly after: string; readonly limit: number }, readonly [userId: string]>(`
    SELECT user_id FROM belfry_inbox_items WHERE notification_pk = :pk AND user_id > :after ORDER BY user_id LIMIT :limit`);
  return (pk: number, after: string, limit: number): readonly string[] => find.all({ pk, after, limit }).map(([userId]) => userId);
}

/** Notes in the inboxes of users that an item of theirs was updated. */
function prepareNote({ prepare }: QueryContext) {
  const items = "json_each(:users) u CROSS JOIN belfry_inbox_items i ON i.notification_pk = (SELECT :pk) AND i.user_id = u.value";
  const parts = [
    `INSERT INTO belfry_inbox_changes (tenant, user_id, rev, last_seq, kind, seq_ranges, at)
      SELECT c.tenant, c.user_id, c.rev + 1, c.last_seq, 'updated', CAST(i.seq AS TEXT), :at FROM ${items} ${JOIN_COUNTERS} WHERE ${IS_THERE_BESIDE_COUNTERS}`,
    `UPDATE belfry_inbox_counters SET rev = rev + 1 WHERE tenant = :tenant AND user_id IN (SELECT i.user_id FROM ${items} ${JOIN_COUNTERS} WHERE ${IS_THERE_BESIDE_COUNTERS})`,
  ].map((text) => prepare<object>(text));
  return (of: Pick<RunningUpdate, "pk" | "tenant" | "at">, users: readonly string[]): void => {
    for (const part of parts) {
      part.run({ ...of, users: JSON.stringify(users) });
    }
  };
}

/** Notes an update where the notification is in few inboxes; else it leaves that to steps, and returns true. */
export function prepareNoteOrLeave(context: QueryContext) {
  const usersAfter = prepareUsersAfter(context);
  const note = prepareNote(context);
  const leave = context.prepare<Pick<RunningUpdate, "pk" | "tenant" | "at">>(`
    INSERT INTO belfry_item_updates (notification_pk, tenant, after_user, at, due_at) VALUES (:pk, :tenant, '', :at, :at)
    ON CONFLICT (notification_pk) DO UPDATE SET after_user = '', at = excluded.at, due_at = excluded.due_at`);
  return (of: Pick<RunningUpdate, "pk" | "tenant" | "at">): boolean => {
    const users = usersAfter(of.pk, "", UPDATED_AT_ONCE + 1);
    if (users.length > UPDATED_AT_ONCE) {
      leave.run(of);
      return true;
    }
    note(of, users);
    return false;
  };
}

/** Whether an update is left to steps. */
export function prepareHasItemUpdates({ prepareRows }: QueryContext) {
  const find = prepareRows<object, readonly [one: number]>("SELECT 1 FROM belfry_item_updates LIMIT 1");
  return (_: Date): boolean => find.get({}) !== undefined;
}

/** Goes on with an update. */
export function prepareNoteUpdates(context: QueryContext) {
  const { prepare } = context;
  const next = prepare<object, RunningUpdate>(`
    SELECT notification_pk AS pk, tenant, after_user AS "afterUser", at FROM belfry_item_updates ORDER BY due_at, notification_pk LIMIT 1`);
  const move = prepare<{ readonly pk: number; readonly after: string; readonly now: Date }>(
    "UPDATE belfry_item_updates SET after_user = :after, due_at = :now WHERE notification_pk = :pk",
  );
  const end = prepare<{ readonly pk: number }>("DELETE FROM belfry_item_updates WHERE notification_pk = :pk");
  const usersAfter = prepareUsersAfter(context);
  const note = prepareNote(context);
  return (now: Date): boolean => {
    const update = next.get({});
    if (update === undefined) {
      return false;
    }
    const { pk, afterUser } = update;
    const users = usersAfter(pk, afterUser, UPDATED_AT_ONCE);
    note(update, users);
    const last = users.at(-1);
    if (last === undefined || users.length < UPDATED_AT_ONCE) {
      end.run({ pk });
    } else {
      move.run({ pk, after: last, now });
    }
    return true;
  };
}
