import type { ItemRef, Owner } from "@belfry/core";
import type { WholeInboxChange } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareChangeItems } from "./change-items.ts";
import { type CountsRow, heldInbox, toCounts } from "./inbox-state.ts";
import { ownReadTime } from "./item-row.ts";

/** Marks unread items read. */
export function prepareMarkRead(tables: TableNames) {
  const change = prepareChangeItems(tables, {
    operation: "mark_read",
    set: "read_at = $5",
    which: "i.is_unread",
    total: "0",
    unread: "-count(*)",
    readTime: `CASE WHEN i.is_unread THEN $5::timestamptz ELSE ${ownReadTime(tables)} END`,
  });
  return (owner: Owner, refs: readonly ItemRef[], at: Date) => change(owner, refs, at.toISOString());
}

/** Marks items unread again, also those that a read mark covers. */
export function prepareMarkUnread(tables: TableNames) {
  const change = prepareChangeItems(tables, {
    operation: "mark_unread",
    set: "read_at = NULL, unread_rev = (SELECT rev + 1 FROM inbox)",
    which: "NOT i.is_unread",
    total: "0",
    unread: "count(*)",
    also: {
      tally: "min(seq) FILTER (WHERE seq <= (SELECT read_up_to_seq FROM inbox)) AS from_seq",
      set: "reopened_from_seq = least(c.reopened_from_seq, tally.from_seq)",
    },
    readTime: "NULL::timestamptz",
  });
  return (owner: Owner, refs: readonly ItemRef[]) => change(owner, refs);
}

type SweepRow = readonly [count: number, ...CountsRow];

/** Marks a whole inbox read by one mark, whatever the number of items. It reads no item, so it is always current. */
export function prepareMarkAllRead(tables: TableNames) {
  const run = statement<SweepRow>(
    "mark_all_read",
    `WITH ${heldInbox(tables)},
    marked AS (
      INSERT INTO ${tables.readMarks} (tenant, user_id, up_to_seq, read_at, rev)
      SELECT $1, $2, held.last_seq, $3, held.rev + 1 FROM held WHERE held.unread > 0
      ON CONFLICT DO NOTHING
    ),
    counted AS (
      UPDATE ${tables.inboxCounters} c SET unread = 0, read_up_to_seq = held.last_seq, rev = c.rev + 1, read_rev = c.rev + 1, reopened_from_seq = NULL
      FROM held
      WHERE c.tenant = $1 AND c.user_id = $2 AND held.unread > 0
    )
    SELECT held.unread, held.last_seq, held.total, 0::bigint, held.epoch, held.rev + (held.unread > 0)::int FROM held WHERE held.last_seq > 0`,
  );
  return (owner: Owner, at: Date) =>
    async (session: Session): Promise<WholeInboxChange> => {
      const [row] = await session.rows(run, [owner.tenant, owner.userId, at.toISOString()]);
      return { count: row?.[0] ?? 0, counts: toCounts(row?.slice(1) as CountsRow | undefined) };
    };
}
