import type { ItemRef, Owner } from "@belfry/core";
import type { DueChange, ItemPlace } from "@belfry/core/storage";
import { type Connection, joining, type Session } from "../database/connection.ts";
import { isLockTimeout } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { BUSY_TIMEOUT_MS, type CountsRow, countsColumns, holdInboxes, isBehind, nextDue, toCounts } from "./inbox-state.ts";
import { isThere } from "./item-row.ts";
import { prepareOneMark } from "./mark.ts";

/** How many items are woken, or taken out, at a time. */
const AT_ONCE = 1_000;
const ANYWHERE: readonly ItemPlace[] = ["active", "archived", "snoozed"];

/**
 * Does what the clock has made due in an inbox: takes the items of expired notifications out, then wakes the snoozed items whose time,
 * or that of their group, has come. It waits for no other transaction: it may be part of a read.
 */
export function prepareApplyDue(tables: TableNames) {
  const find = prepareFindDue(tables);
  const hold = statement<[one: number]>(
    "hold_due_inbox",
    holdInboxes(tables, "tenant = $1 AND user_id = $2", { timeout: BUSY_TIMEOUT_MS }),
  );
  const expire = prepareOneMark(tables, { mark: "expired", places: ANYWHERE });
  const wake = prepareOneMark(tables, { mark: "woken" });
  const settleGroups = statement<[]>(
    "settle_due_groups",
    `UPDATE ${tables.inboxGroups} g SET due_at = NULL
    WHERE g.tenant = $1 AND g.user_id = $2 AND g.due_at IS NOT NULL AND g.due_at <= $3::timestamptz AND NOT EXISTS (
      SELECT FROM ${tables.inboxItems} i
      WHERE i.tenant = $1 AND i.user_id = $2 AND i.group_name = g.group_name AND i.snoozed_until IS NOT NULL)`,
  );
  const settle = statement<CountsRow>(
    "settle_due",
    `UPDATE ${tables.inboxCounters} c SET due_at = ${nextDue(tables)}
    WHERE tenant = $1 AND user_id = $2 RETURNING ${countsColumns(isBehind(tables), "c")}`,
  );
  const apply = async (session: Session, owner: Owner, { at, gone, due, ofGroups }: Due): Promise<DueChange> => {
    const values = [owner.tenant, owner.userId];
    await session.rows(hold, values);
    const within = joining(session);
    const expired = gone.length === 0 ? null : await expire(owner, gone, at)(within);
    const woken = due.length === 0 ? null : await wake(owner, due, at, ofGroups ? "infinity" : at.toISOString())(within);
    if (ofGroups) {
      await session.rows(settleGroups, [...values, at.toISOString()]);
    }
    const [row] = await session.rows(settle, values);
    const counts = toCounts(row);
    const nothing = { items: [], changed: new Set<number>(), counts };
    return { expired: expired ?? nothing, woken: woken ?? nothing, counts };
  };
  return (owner: Owner, at: Date) =>
    async (connection: Connection): Promise<DueChange | null> => {
      // Items that change before the inbox is held are left out then.
      const due = await find(connection, owner, at);
      try {
        return await connection.transaction((session) => apply(session, owner, due));
      } catch (error) {
        if (isLockTimeout(error)) {
          return null;
        }
        throw error;
      }
    };
}

interface Due {
  readonly at: Date;
  readonly gone: readonly ItemRef[];
  readonly due: readonly ItemRef[];
  /** Whether some of them are due with their group. */
  readonly ofGroups: boolean;
}

/** Finds what is due in an inbox. */
function prepareFindDue({ inboxItems, inboxGroups, inboxCounters }: TableNames) {
  const own = "i.tenant = $1 AND i.user_id = $2";
  const find = statement<[why: "expired" | "due" | "group", seq: number]>(
    "find_due",
    `(SELECT 'expired', i.seq FROM ${inboxItems} i CROSS JOIN (SELECT removed_up_to_seq FROM ${inboxCounters} WHERE tenant = $1 AND user_id = $2) c
      WHERE ${own} AND i.expires_at <= $3::timestamptz AND ${isThere("c")} ORDER BY i.expires_at LIMIT ${AT_ONCE})
    UNION ALL (SELECT 'due', i.seq FROM ${inboxItems} i
      WHERE ${own} AND i.snoozed_until IS NOT NULL AND i.snoozed_until <= $3::timestamptz ORDER BY i.seq LIMIT ${AT_ONCE})
    UNION ALL (SELECT 'group', i.seq FROM ${inboxGroups} g CROSS JOIN LATERAL (
        SELECT i.seq FROM ${inboxItems} i WHERE ${own} AND i.group_name = g.group_name AND i.snoozed_until IS NOT NULL LIMIT ${AT_ONCE}
      ) i
      WHERE g.tenant = $1 AND g.user_id = $2 AND g.due_at IS NOT NULL AND g.due_at <= $3::timestamptz LIMIT ${AT_ONCE})`,
  );
  return async (session: Session, { tenant, userId }: Owner, at: Date): Promise<Due> => {
    const rows = await session.rows(find, [tenant, userId, at.toISOString()]);
    const gone = new Set(rows.filter(([why]) => why === "expired").map(([, seq]) => seq));
    const due = new Set(rows.map(([, seq]) => seq).filter((seq) => !gone.has(seq)));
    return { at, gone: refsOf(gone), due: refsOf(due).slice(0, AT_ONCE), ofGroups: rows.some(([why]) => why === "group") };
  };
}

function refsOf(seqs: ReadonlySet<number>): readonly ItemRef[] {
  return [...seqs].toSorted((one, other) => one - other).map((seq) => ({ seq }));
}
