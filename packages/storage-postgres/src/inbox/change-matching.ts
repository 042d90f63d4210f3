import type { InboxCounts, Owner } from "@belfry/core";
import { MATCHED_AT_ONCE, type MatchingChange, type MatchingMark, type MatchingStep, type ReadMoment } from "@belfry/core/storage";
import type { Connection } from "../database/connection.ts";
import { memoized } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import {
  COUNTS_AFTER,
  changedItems,
  countedFlags,
  countTally,
  groupSums,
  ITEM_FLAGS,
  prepareChangeInbox,
  tallyOf,
} from "./change-items.ts";
import { LOGGED_TALLY, loggedChange } from "./change-log.ts";
import { settleOwnGroups } from "./groups.ts";
import { type CountsRow, heldInbox, toCounts } from "./inbox-state.ts";
import { filterText, filterTextAsOf, itemsStatement, priorityOf } from "./item-filter.ts";
import { IN_PLACE } from "./item-row.ts";
import { type MarkText, marksOf } from "./mark.ts";
import { prepareRemoveCovered } from "./remove-covered.ts";

/** What a `ReadMoment` has besides the counts. */
type MomentRow = readonly [rev: number, readUpToSeq: number, readRev: number, seenUpToSeq: number, seenRev: number];

type StepRow = readonly [
  isCurrent: boolean,
  changed: number,
  count: number,
  next: number | null,
  sends: readonly string[] | null,
  ...moment: MomentRow,
  ...counts: CountsRow,
];

/** The parts of a step that decide the text of its statement. */
interface Variant {
  readonly mark: MatchingMark;
  /** Which items match, as SQL. */
  readonly isMatch: string;
  /** The condition of a group, whose items alone are looked at; or none. */
  readonly ofGroup: string;
}

/** Changes the items that match a filter, among the next ones of a range. */
export function prepareChangeMatching(tables: TableNames) {
  const [removeAtOnce, changeRows] = [prepareRemoveAtOnce(tables), prepareChangeRows(tables)];
  return (owner: Owner, step: MatchingStep) =>
    async (connection: Connection): Promise<MatchingChange> =>
      (await removeAtOnce(owner, step)(connection)) ?? (await changeRows(owner, step)(connection));
}

function prepareRemoveAtOnce(tables: TableNames) {
  const removeCovered = prepareRemoveCovered(tables);
  return (owner: Owner, step: MatchingStep) =>
    async (connection: Connection): Promise<MatchingChange | null> => {
      const removed = await removeCovered(owner, step)(connection);
      if (removed === null) {
        return null;
      }
      const { upTo, count, moment } = removed;
      const counts = toCounts(removed.counts);
      const next = counts.total > counts.unread ? upTo : null;
      return { changed: count, count, counts, asOf: toMoment(moment, counts), sends: [], next };
    };
}

function prepareChangeRows(tables: TableNames) {
  const changeInbox = prepareChangeInbox(tables);
  const prepared = memoized((variant: string) => {
    const text = changeMatchingText(tables, JSON.parse(variant) as Variant);
    return itemsStatement<StepRow>("change_matching", text, text.includes(priorityOf(tables)));
  });
  return (owner: Owner, { mark, at, places, filter, after, upTo, asOf, continues, openUntil }: MatchingStep) =>
    async (connection: Connection): Promise<MatchingChange> => {
      // Those of the inbox stand before them.
      const values: unknown[] = ["", "", after, upTo, at.toISOString(), continues ?? null, openUntil?.toISOString() ?? null];
      const isThere = places.map((place) => IN_PLACE[place]).join(" OR ");
      const ofGroup = filterText(tables, filter.group === undefined ? {} : { group: filter.group }, values);
      const isMatch = `(${isThere})${filterText(tables, filter, values)}${filterTextAsOf(filter, asOf, values)}`;
      const run = prepared(JSON.stringify({ mark, isMatch, ofGroup } satisfies Variant));
      const [row] = await changeInbox(connection, owner, { run, values: values.slice(2) });
      if (row === undefined) {
        return {
          changed: 0,
          count: 0,
          next: null,
          sends: [],
          counts: toCounts(undefined),
          asOf: toMoment([0, 0, 0, 0, 0], toCounts(undefined)),
        };
      }
      const [, changed, count, next, sends, rev, readUpToSeq, readRev, seenUpToSeq, seenRev, ...rest] = row;
      const counts = toCounts(rest);
      const moment = toMoment([rev, readUpToSeq, readRev, seenUpToSeq, seenRev], counts);
      return { changed, count, next, sends: sends ?? [], counts, asOf: moment };
    };
}

function toMoment([rev, readUpToSeq, readRev, seenUpToSeq, seenRev]: MomentRow, { epoch, lastSeq }: InboxCounts): ReadMoment {
  return { epoch, rev, lastSeq, readUpToSeq, readRev, seenUpToSeq, seenRev };
}

/** How each mark changes items; see {@link marksOf}. */
const rulesOf = (tables: TableNames): Readonly<Record<MatchingMark, MarkText>> => {
  const marks = marksOf(tables);
  return { ...marks, deleted_read: { ...marks.deleted, which: "NOT i.is_unread" } };
};

/** Whether a step of a mark, or one after it, may find something: the counts say whether any active item is read. */
function isAnyLeft(mark: MatchingMark, total: string, unread: string): string {
  return mark === "deleted_read" ? `${total} > ${unread}` : "true";
}

/** The number after which the next step of a mark goes on; null if none has to follow. */
function nextOf(mark: MatchingMark): string {
  const isMore = isAnyLeft(mark, "inbox.total + tally.total", "inbox.unread + tally.unread");
  return `SELECT CASE WHEN (SELECT ${isMore} FROM inbox CROSS JOIN tally) AND count(*) >= ${MATCHED_AT_ONCE} THEN max(seq) END FROM found`;
}

/**
 * $3 the number to begin after, $4 the number to end with, $5 the time of the change, $6 the step that it continues, $7 until when more
 * may follow, then the values of the filter.
 */
function changeMatchingText(tables: TableNames, { mark, isMatch, ofGroup }: Variant): string {
  const { set, which, also, after = {} } = rulesOf(tables)[mark];
  const next = nextOf(mark);
  const step = { continues: "$6::bigint", openUntil: `CASE WHEN (${next}) IS NOT NULL THEN $7::timestamptz END` };
  // Nothing up to there is unread, or unseen; or nothing is there.
  const first = mark === "read" || mark === "seen" ? "least(inbox.read_up_to_seq, inbox.reopened_from_seq - 1)" : "inbox.removed_up_to_seq";
  const sends = `(SELECT json_agg(n.id ORDER BY n.pk) FROM changed
    CROSS JOIN LATERAL (SELECT pk, id, kind FROM ${tables.notifications} WHERE pk = changed.notification_pk OFFSET 0) n WHERE n.kind = 'send')`;
  return `WITH ${heldInbox(tables)},
    found AS MATERIALIZED (
      SELECT i.*, ${ITEM_FLAGS}, (${isMatch}) AS is_match
      FROM inbox CROSS JOIN LATERAL (
        SELECT * FROM ${tables.inboxItems} i
        WHERE i.tenant = $1 AND i.user_id = $2 AND i.seq > greatest($3::bigint, ${first}) AND i.seq <= $4::bigint${ofGroup}
        ORDER BY i.seq LIMIT ${MATCHED_AT_ONCE}
      ) i
      WHERE inbox.is_current AND ${isAnyLeft(mark, "inbox.total", "inbox.unread")}
    ),
    ${changedItems(tables, { which: `i.is_match AND ${which}`, set, columns: `i.seq, i.notification_pk, i.group_name, ${countedFlags(after)}` })},
    ${settleOwnGroups(tables, { sums: groupSums(tallyOf(after)), list: "changed" })},
    tally AS MATERIALIZED (
      SELECT count(*) AS changed, count(*) FILTER (WHERE NOT is_away) AS active, array_agg(seq) AS seqs,
        ${tallyOf(after)}${also?.tally ? `, ${also.tally}` : ""}
      FROM changed
    ),
    counted AS (
      UPDATE ${tables.inboxCounters} c SET ${countTally(also)} FROM tally WHERE c.tenant = $1 AND c.user_id = $2 AND tally.changed > 0
    ),
    ${loggedChange(tables, { kind: mark, ...LOGGED_TALLY, at: "$5::timestamptz", ...step })}
    SELECT inbox.is_current, tally.changed, tally.active,
      (${next}), ${mark === "read" ? sends : "NULL::json"}, inbox.rev, inbox.read_up_to_seq, inbox.read_rev,
      coalesce(inbox.seen_up_to_seq, 0), coalesce(inbox.seen_rev, 0), ${COUNTS_AFTER}
    FROM inbox CROSS JOIN tally`;
}
