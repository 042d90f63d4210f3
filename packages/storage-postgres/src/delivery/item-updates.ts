import { UPDATED_AT_ONCE } from "@belfry/storage-sql";
import type { Connection, Session } from "../database/connection.ts";
import { isLockTimeout } from "../database/errors.ts";
import { milliseconds, type StorageTime, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { loggedChange } from "../inbox/change-log.ts";
import { BUSY_TIMEOUT_MS, holdInboxes, LOCK_TIMEOUT_MS } from "../inbox/inbox-state.ts";
import { isThere } from "../inbox/item-row.ts";

/** An update of a notification, and its time; null for now. */
interface Update {
  readonly tenant: string;
  readonly pk: number;
  readonly at: string | null;
}

/** The next users who have an item of the notification $1, after $2. */
function usersAfter({ inboxItems }: TableNames) {
  return statement<[userId: string]>(
    "users_of_update",
    `SELECT user_id FROM ${inboxItems} WHERE notification_pk = $1 AND user_id > $2 ORDER BY user_id LIMIT $3`,
  );
}

/** Notes in the inboxes of users that an item of theirs was updated. It fails with a lock timeout if somebody holds one of them for longer. */
function prepareNote(tables: TableNames) {
  const { inboxItems, inboxCounters } = tables;
  const hold = statement<[one: number]>(
    "hold_inboxes_of_update",
    holdInboxes(tables, "tenant = $1 AND user_id = ANY ($2::text[])", { timeout: "$3" }),
  );
  const change = {
    kind: "updated",
    from: `item JOIN ${inboxCounters} inbox ON inbox.tenant = $1 AND inbox.user_id = item.user_id`,
    ...{ at: timeOf("$3"), seqs: "ARRAY[item.seq]", owner: "inbox.tenant, inbox.user_id" },
  } as const;
  const note = statement<[]>(
    "note_update",
    `WITH item AS MATERIALIZED (
      SELECT i.user_id, i.seq FROM ${inboxItems} i JOIN ${inboxCounters} c ON c.tenant = $1 AND c.user_id = i.user_id
      WHERE i.notification_pk = $2 AND i.user_id = ANY ($4::text[]) AND ${isThere("c")}
    ),
    ${loggedChange(tables, change)}
    UPDATE ${inboxCounters} c SET rev = c.rev + 1 FROM item WHERE c.tenant = $1 AND c.user_id = item.user_id`,
  );
  return async (session: Session, { tenant, pk, at }: Update, { users, timeoutMs }: { users: readonly string[]; timeoutMs: number }) => {
    await session.rows(hold, [tenant, users, timeoutMs]);
    await session.rows(note, [tenant, pk, at, users]);
  };
}

/**
 * Notes an update where the notification is in few inboxes; else it leaves that to steps, and returns true. It locks the row of the steps
 * before any inbox, as they do.
 */
export function prepareNoteOrLeave(tables: TableNames) {
  const find = usersAfter(tables);
  const note = prepareNote(tables);
  const leave = statement<[]>(
    "leave_update",
    `INSERT INTO ${tables.itemUpdates} (notification_pk, tenant, after_user, at, due_at) VALUES ($2, $1, '', ${timeOf("$3")}, ${timeOf("$3")})
    ON CONFLICT (notification_pk) DO UPDATE SET after_user = '', at = excluded.at, due_at = excluded.due_at`,
  );
  return async (session: Session, update: Update): Promise<boolean> => {
    const users = (await session.rows(find, [update.pk, "", UPDATED_AT_ONCE + 1])).map(([userId]) => userId);
    if (users.length > UPDATED_AT_ONCE) {
      await session.rows(leave, [update.tenant, update.pk, update.at]);
      return true;
    }
    await note(session, update, { users, timeoutMs: LOCK_TIMEOUT_MS });
    return false;
  };
}

type TakenRow = readonly [pk: number, tenant: string, afterUser: string, at: number];

/** Goes on with an update. If somebody holds an inbox, it is put off. */
export function prepareNoteUpdates(tables: TableNames, time: StorageTime) {
  const { itemUpdates } = tables;
  const now = timeOf("$1");
  const take = statement<TakenRow>(
    "take_update",
    `SELECT notification_pk, tenant, after_user, ${milliseconds("at")} FROM ${itemUpdates} WHERE due_at <= ${now}
    ORDER BY due_at, notification_pk LIMIT 1 FOR UPDATE SKIP LOCKED`,
  );
  const move = statement<[]>("move_update", `UPDATE ${itemUpdates} SET after_user = $3, due_at = ${now} WHERE notification_pk = $2`);
  const end = statement<[]>("end_update", `DELETE FROM ${itemUpdates} WHERE notification_pk = $1`);
  const putOff = statement<[]>(
    "put_off_update",
    `UPDATE ${itemUpdates} SET due_at = ${now} + interval '1 second' WHERE notification_pk = $2`,
  );
  const find = usersAfter(tables);
  const note = prepareNote(tables);
  const go = async (session: Session, [pk, tenant, afterUser, atMs]: TakenRow, at: string | null): Promise<void> => {
    const users = (await session.rows(find, [pk, afterUser, UPDATED_AT_ONCE])).map(([userId]) => userId);
    await note(session, { tenant, pk, at: new Date(atMs).toISOString() }, { users, timeoutMs: BUSY_TIMEOUT_MS });
    if (users.length < UPDATED_AT_ONCE) {
      await session.rows(end, [pk]);
    } else {
      await session.rows(move, [at, pk, users.at(-1)]);
    }
  };
  return (when: Date) =>
    async (connection: Connection): Promise<boolean> => {
      const at = time(when);
      let taken: TakenRow | undefined;
      try {
        await connection.transaction(async (session) => {
          [taken] = await session.rows(take, [at]);
          await (taken && go(session, taken, at));
        });
      } catch (error) {
        if (taken === undefined || !isLockTimeout(error)) {
          throw error;
        }
        await connection.rows(putOff, [at, taken[0]]);
      }
      return taken !== undefined;
    };
}
