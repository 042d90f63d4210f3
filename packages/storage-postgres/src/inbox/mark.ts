import type { ItemRef, Owner } from "@belfry/core";
import type { ItemsChange, WholeInboxChange } from "@belfry/core/storage";
import type { Connection, Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { type ItemsChangeRow, namedItems, prepareChangeInbox, splitRefs, toItemsChange } from "./change-items.ts";
import { type CountsRow, heldInbox, toCounts } from "./inbox-state.ts";
import { itemColumns, joinNotification, ownReadTime } from "./item-row.ts";

/** Marks items read that were not yet. */
export function prepareMarkRead(tables: TableNames) {
  const changeInbox = prepareChangeInbox(tables);
  const readTime = `CASE WHEN i.is_unread THEN $5::timestamptz ELSE ${ownReadTime(tables)} END`;
  const run = statement<ItemsChangeRow>(
    "mark_read",
    `WITH ${heldInbox(tables)},
    ${namedItems(tables)},
    changed AS (
      UPDATE ${tables.inboxItems} item SET read_at = $5 FROM found
      WHERE item.tenant = $1 AND item.user_id = $2 AND item.seq = found.seq AND found.is_unread
      RETURNING item.seq
    ),
    tally AS MATERIALIZED (SELECT count(*) AS changed FROM changed),
    counted AS (
      UPDATE ${tables.inboxCounters} c SET unread = c.unread - tally.changed, rev = c.rev + 1 FROM tally
      WHERE c.tenant = $1 AND c.user_id = $2 AND tally.changed > 0
    )
    SELECT inbox.is_current, inbox.last_seq, inbox.total, inbox.unread - tally.changed, inbox.epoch, inbox.rev + (tally.changed > 0)::int,
      i.is_unread, ${itemColumns(readTime)}
    FROM inbox CROSS JOIN tally LEFT JOIN found i ON true ${joinNotification(tables)}`,
  );
  return (owner: Owner, refs: readonly ItemRef[], at: Date) =>
    async (connection: Connection): Promise<ItemsChange> => {
      const { seqs, ids } = splitRefs(refs);
      const rows = await changeInbox(connection, owner, { run, values: [seqs, ids, at.toISOString()] });
      return toItemsChange(rows, owner, refs);
    };
}

/** Marks items unread again, also those that a read mark covers. */
export function prepareMarkUnread(tables: TableNames) {
  const changeInbox = prepareChangeInbox(tables);
  const run = statement<ItemsChangeRow>(
    "mark_unread",
    `WITH ${heldInbox(tables)},
    ${namedItems(tables)},
    changed AS (
      UPDATE ${tables.inboxItems} item SET read_at = NULL, unread_rev = inbox.rev + 1 FROM found CROSS JOIN inbox
      WHERE item.tenant = $1 AND item.user_id = $2 AND item.seq = found.seq AND NOT found.is_unread
      RETURNING item.seq
    ),
    tally AS MATERIALIZED (
      SELECT count(*) AS changed, min(changed.seq) FILTER (WHERE changed.seq <= inbox.read_up_to_seq) AS from_seq FROM changed CROSS JOIN inbox
    ),
    counted AS (
      UPDATE ${tables.inboxCounters} c SET unread = c.unread + tally.changed, rev = c.rev + 1,
        reopened_from_seq = least(c.reopened_from_seq, tally.from_seq)
      FROM tally WHERE c.tenant = $1 AND c.user_id = $2 AND tally.changed > 0
    )
    SELECT inbox.is_current, inbox.last_seq, inbox.total, inbox.unread + tally.changed, inbox.epoch, inbox.rev + (tally.changed > 0)::int,
      NOT i.is_unread, ${itemColumns("NULL::timestamptz")}
    FROM inbox CROSS JOIN tally LEFT JOIN found i ON true ${joinNotification(tables)}`,
  );
  return (owner: Owner, refs: readonly ItemRef[]) =>
    async (connection: Connection): Promise<ItemsChange> => {
      const { seqs, ids } = splitRefs(refs);
      const rows = await changeInbox(connection, owner, { run, values: [seqs, ids] });
      return toItemsChange(rows, owner, refs);
    };
}

type SweepRow = readonly [count: number, ...CountsRow];

/** Marks everything in an inbox read: one mark, whatever the number of items. It looks at no item, so it is always current. */
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
