import type { ItemRef, Owner } from "@belfry/core";
import type { ItemsChange } from "@belfry/core/storage";
import type { Connection } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareChangeInbox } from "./change-inbox.ts";
import { heldInbox } from "./held-inbox.ts";
import { splitRefs } from "./item-refs.ts";
import { itemColumns, joinNotification } from "./item-row.ts";
import { type ItemsChangeRow, toItemsChange } from "./items-change.ts";
import { namedItems } from "./named-items.ts";

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
