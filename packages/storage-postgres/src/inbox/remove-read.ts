import type { Owner } from "@belfry/core";
import type { WholeInboxChange } from "@belfry/core/storage";
import type { Connection } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareChangeInbox } from "./change-inbox.ts";
import { heldInbox } from "./held-inbox.ts";
import { type CountsRow, toCounts } from "./inbox-state.ts";
import { isRead } from "./item-row.ts";

type SweepRow = readonly [isCurrent: boolean, count: number, ...CountsRow];

/** Deletes every read item of an inbox softly. */
export function prepareRemoveRead(tables: TableNames) {
  const changeInbox = prepareChangeInbox(tables);
  const run = statement<SweepRow>(
    "remove_read",
    `WITH ${heldInbox(tables)},
    changed AS (
      UPDATE ${tables.inboxItems} i SET deleted_at = $3 FROM inbox
      WHERE inbox.is_current AND inbox.total > inbox.unread
        AND i.tenant = $1 AND i.user_id = $2 AND i.deleted_at IS NULL
        AND ${isRead("inbox")}
      RETURNING 1
    ),
    tally AS MATERIALIZED (SELECT count(*) AS changed FROM changed),
    counted AS (
      UPDATE ${tables.inboxCounters} c SET total = c.total - tally.changed, rev = c.rev + 1 FROM tally
      WHERE c.tenant = $1 AND c.user_id = $2 AND tally.changed > 0
    )
    SELECT inbox.is_current, tally.changed, inbox.last_seq, inbox.total - tally.changed, inbox.unread, inbox.epoch, inbox.rev + (tally.changed > 0)::int
    FROM inbox CROSS JOIN tally`,
  );
  return (owner: Owner, at: Date) =>
    async (connection: Connection): Promise<WholeInboxChange> => {
      const [row] = await changeInbox(connection, owner, { run, values: [at.toISOString()] });
      return { count: row?.[1] ?? 0, counts: toCounts(row?.slice(2) as CountsRow | undefined) };
    };
}
