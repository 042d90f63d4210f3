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

/** Deletes items softly. */
export function prepareRemove(tables: TableNames) {
  const changeInbox = prepareChangeInbox(tables);
  const run = statement<ItemsChangeRow>(
    "remove",
    `WITH ${heldInbox(tables)},
    ${namedItems(tables)},
    changed AS (
      UPDATE ${tables.inboxItems} item SET deleted_at = $5 FROM found
      WHERE item.tenant = $1 AND item.user_id = $2 AND item.seq = found.seq
      RETURNING found.is_unread
    ),
    tally AS MATERIALIZED (SELECT count(*) AS changed, count(*) FILTER (WHERE is_unread) AS unread FROM changed),
    counted AS (
      UPDATE ${tables.inboxCounters} c SET total = c.total - tally.changed, unread = c.unread - tally.unread, rev = c.rev + 1 FROM tally
      WHERE c.tenant = $1 AND c.user_id = $2 AND tally.changed > 0
    )
    SELECT inbox.is_current, inbox.last_seq, inbox.total - tally.changed, inbox.unread - tally.unread, inbox.epoch, inbox.rev + (tally.changed > 0)::int,
      true, ${itemColumns(ownReadTime(tables))}
    FROM inbox CROSS JOIN tally LEFT JOIN found i ON true ${joinNotification(tables)}`,
  );
  return (owner: Owner, refs: readonly ItemRef[], at: Date) =>
    async (connection: Connection): Promise<ItemsChange> => {
      const { seqs, ids } = splitRefs(refs);
      const rows = await changeInbox(connection, owner, { run, values: [seqs, ids, at.toISOString()] });
      return toItemsChange(rows, owner, refs);
    };
}
