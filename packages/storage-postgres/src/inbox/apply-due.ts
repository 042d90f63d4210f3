import type { Owner } from "@belfry/core";
import type { DueChange } from "@belfry/core/storage";
import { type Connection, joining } from "../database/connection.ts";
import { isLockTimeout } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { BUSY_TIMEOUT_MS, COUNTS_COLUMNS, type CountsRow, holdInboxes, toCounts } from "./inbox-state.ts";
import { prepareOneMark } from "./mark.ts";

/** How many items are woken at a time. */
const WOKEN_AT_ONCE = 1_000;

/**
 * Does what the clock has made due in an inbox: wakes the snoozed items whose time has come. It waits for no other transaction: it
 * may be part of a read.
 */
export function prepareApplyDue(tables: TableNames) {
  const hold = statement<[one: number]>(
    "hold_due_inbox",
    holdInboxes(tables, "tenant = $1 AND user_id = $2", { timeout: BUSY_TIMEOUT_MS }),
  );
  const [expire, wake] = [prepareOneMark(tables, { mark: "expired" }), prepareOneMark(tables, { mark: "woken" })];
  const ofInbox = `FROM ${tables.inboxItems} WHERE tenant = $1 AND user_id = $2 AND snoozed_until IS NOT NULL`;
  const due = statement<[seq: number]>(
    "due_items",
    `SELECT seq ${ofInbox} AND snoozed_until <= $3::timestamptz ORDER BY seq LIMIT ${WOKEN_AT_ONCE}`,
  );
  const settle = statement<CountsRow>(
    "settle_due",
    `UPDATE ${tables.inboxCounters} inbox SET due_at = (SELECT min(snoozed_until) ${ofInbox})
    WHERE tenant = $1 AND user_id = $2 AND last_seq > 0 RETURNING ${COUNTS_COLUMNS}`,
  );
  return (owner: Owner, at: Date) =>
    async (connection: Connection): Promise<DueChange | null> => {
      const { tenant, userId } = owner;
      // Those that change before the inbox is held are left out then.
      const refs = (await connection.rows(due, [tenant, userId, at.toISOString()])).map(([seq]) => ({ seq }));
      try {
        return await connection.transaction(async (session) => {
          await session.rows(hold, [tenant, userId]);
          const within = joining(session);
          const expired = await expire(owner, [], at)(within);
          const woken = await wake(owner, refs, at, at.toISOString())(within);
          const [counts] = await session.rows(settle, [tenant, userId]);
          return { expired, woken, counts: toCounts(counts) };
        });
      } catch (error) {
        if (isLockTimeout(error)) {
          return null;
        }
        throw error;
      }
    };
}
