import type { Owner } from "@belfry/core";
import type { MatchingStep } from "@belfry/core/storage";
import { isOfAllRead, KNOWS_REMOVED, LOOKED_AT_BESIDE, REMOVED_AT_LEAST } from "@belfry/storage-sql";
import type { Session, Transactional } from "../database/connection.ts";
import { milliseconds, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareChangeInbox } from "./change-items.ts";
import { loggedChange } from "./change-log.ts";
import { type CountsRow, heldInbox } from "./inbox-state.ts";

/** Items that were deleted by a number of their inbox, and the inbox as it was before, with the counts after it. */
export interface RemovedItems {
  readonly upTo: number;
  /** How many were active. */
  readonly count: number;
  readonly moment: readonly [rev: number, readUpToSeq: number, readRev: number, seenUpToSeq: number, seenRev: number];
  readonly counts: CountsRow;
}

type RemovedRow = readonly [isCurrent: boolean, upTo: number | null, count: number | null, ...rest: readonly unknown[]];

const MOMENT_WIDTH = 5;

/**
 * Deletes the active items that a read mark covers, all up to a number, without changing any; null where they are to be deleted row by
 * row. That is so if an item up to the number could come back, is in a group, or if a process of an older version may read the inbox.
 */
export function prepareRemoveCovered(tables: TableNames) {
  const changeInbox = prepareChangeInbox(tables);
  const isKnown = prepareIsKnown(tables);
  const run = statement<RemovedRow>("remove_covered", removeCoveredText(tables));
  return (owner: Owner, step: MatchingStep) =>
    async (connection: Transactional): Promise<RemovedItems | null> => {
      if (!isOfAllRead(step) || !(await isKnown(connection))) {
        return null;
      }
      const { at, upTo: last, openUntil } = step;
      const values = [at.toISOString(), last, openUntil?.toISOString() ?? null];
      const [row] = await changeInbox(connection, owner, { run, values });
      const [, upTo = null, count = null, ...rest] = row ?? [true];
      if (upTo === null || count === null) {
        return null;
      }
      const moment = rest.slice(0, MOMENT_WIDTH) as unknown as RemovedItems["moment"];
      return { upTo, count, moment, counts: rest.slice(MOMENT_WIDTH) as unknown as CountsRow };
    };
}

/** $3 the time of the change, $4 the number up to which to delete, $5 until when more may follow. */
function removeCoveredText(tables: TableNames): string {
  const { inboxCounters, inboxGroups, inboxItems } = tables;
  const own = "tenant = $1 AND user_id = $2";
  const beforeFirst = (column: string) => `(SELECT min(seq) FROM ${inboxItems} WHERE ${own} AND ${column} IS NOT NULL) - 1`;
  const first = "coalesce(inbox.removed_up_to_seq, 0) + 1";
  const change = {
    kind: "deleted_read",
    from: "inbox CROSS JOIN tally",
    ...{
      at: "$3::timestamptz",
      openUntil: "(SELECT CASE WHEN inbox.total - tally.count > inbox.unread THEN $5::timestamptz END FROM inbox CROSS JOIN tally)",
    },
    covering: {
      ranges: `CASE WHEN ${first} = tally.up_to THEN tally.up_to::text ELSE ${first} || '-' || tally.up_to END`,
      count: "tally.count::int",
    },
  } as const;
  // In the order of its index: else the planner may read the whole table, where items of others expire.
  return `WITH ${heldInbox(tables)},
    covered AS MATERIALIZED (
      SELECT least(inbox.read_up_to_seq, inbox.reopened_from_seq - 1, ${beforeFirst("archived_at")}, ${beforeFirst("snoozed_until")}) AS up_to
      FROM inbox
      WHERE inbox.is_current AND inbox.removed_at IS NULL AND $4::bigint >= inbox.last_seq AND inbox.total >= ${REMOVED_AT_LEAST}
        AND NOT EXISTS (SELECT FROM ${inboxGroups} WHERE ${own})
        AND (SELECT count(*) FROM (
          SELECT FROM ${inboxItems} WHERE ${own} AND expires_at IS NOT NULL ORDER BY expires_at LIMIT ${LOOKED_AT_BESIDE + 1}) e) <= ${LOOKED_AT_BESIDE}
    ),
    above AS MATERIALIZED (
      SELECT count(i.seq) AS looked, count(i.seq) FILTER (WHERE i.deleted_at IS NULL) AS active
      FROM covered CROSS JOIN LATERAL (
        SELECT seq, deleted_at FROM ${inboxItems} WHERE ${own} AND seq > covered.up_to ORDER BY seq LIMIT ${LOOKED_AT_BESIDE + 1}
      ) i
    ),
    tally AS MATERIALIZED (
      SELECT covered.up_to, inbox.total - above.active AS count FROM inbox CROSS JOIN covered CROSS JOIN above
      WHERE covered.up_to >= ${first} AND above.looked <= ${LOOKED_AT_BESIDE} AND inbox.total - above.active >= ${REMOVED_AT_LEAST}
    ),
    counted AS (
      UPDATE ${inboxCounters} c SET total = c.total - tally.count, rev = c.rev + 1, removed_after_seq = c.removed_up_to_seq,
        removed_up_to_seq = tally.up_to, removed_at = $3::timestamptz
      FROM tally WHERE c.tenant = $1 AND c.user_id = $2
    ),
    ${loggedChange(tables, change)}
    SELECT inbox.is_current, tally.up_to, tally.count, inbox.rev, inbox.read_up_to_seq, inbox.read_rev, coalesce(inbox.seen_up_to_seq, 0),
      coalesce(inbox.seen_rev, 0), inbox.last_seq, inbox.total - tally.count, inbox.unread, inbox.epoch, inbox.rev + 1, inbox.seen_unread,
      ${milliseconds("inbox.due_at")}, inbox.is_behind
    FROM inbox LEFT JOIN tally ON true`;
}

/** Whether the database refuses packages that do not know such items. It never lets them in again. */
function prepareIsKnown({ migrations }: TableNames) {
  // A host's own migrations may have left the table out.
  const table = statement<[isThere: boolean]>("find_migrations", "SELECT to_regclass($1) IS NOT NULL");
  const oldest = statement<[one: number]>(
    "find_oldest_compatible",
    `SELECT 1 FROM ${migrations} WHERE oldest_compatible >= ${KNOWS_REMOVED} LIMIT 1`,
  );
  let isKnown = false;
  return async (session: Session): Promise<boolean> => {
    if (!isKnown) {
      const [[isThere] = [false]] = await session.rows(table, [migrations]);
      isKnown = isThere && (await session.rows(oldest, [])).length > 0;
    }
    return isKnown;
  };
}
