import type { ItemRef, Owner } from "@belfry/core";
import type { ItemsChange } from "@belfry/core/storage";
import type { Connection } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareChangeInbox } from "./change-inbox.ts";
import { heldInbox } from "./held-inbox.ts";
import { splitRefs } from "./item-refs.ts";
import { itemColumns, joinNotification, ownReadTime } from "./item-row.ts";
import { type ItemsChangeRow, toItemsChange } from "./items-change.ts";
import { namedItems } from "./named-items.ts";

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
