import type { LoggedKind } from "@belfry/core";
import { FORGOTTEN_AT_ONCE, MAX_LOGGED_CHANGES, MAX_LOGGED_RANGES } from "@belfry/core/storage";
import { milliseconds } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** A change to log, as SQL: of the items `seqs`, of all up to a number, or of a group's up to a number. */
export interface ChangeToLog {
  readonly kind: LoggedKind;
  /** The held inboxes as they were before the change, and which of them changed: what follows FROM. */
  readonly from: string;
  /** The name that `from` gives the inboxes. @default "inbox" */
  readonly inbox?: string;
  /** When, as a timestamp. */
  readonly at: string;
  /** The numbers of its items as an array: see {@link LOGGED_TALLY}. */
  readonly seqs?: string;
  /** The same as a text of ranges, and how many items it changed: there may be others among them. */
  readonly covering?: { readonly ranges: string; readonly count: string };
  /** If it may be a step of a call, the number of the step that it continues, or null: see `StepOfCall`. Its items have later numbers. */
  readonly continues?: string;
  /** Until when more steps follow, a timestamp or null. @default null */
  readonly openUntil?: string;
  readonly upToSeq?: string;
  readonly group?: string;
  /** A timestamp. */
  readonly until?: string;
  /** The columns of its owner. @default the parameters $1 and $2 */
  readonly owner?: string;
}

/** The change of the held `inbox` whose items are counted in `tally`, and named there as `array_agg(seq) AS seqs`. */
export const LOGGED_TALLY = { from: "inbox CROSS JOIN tally WHERE tally.changed > 0", seqs: "tally.seqs" };

/** The numbers in an array as ranges, such as `1-5,9`; null if they make too many. */
function rangesOf(seqs: string): string {
  return `CASE WHEN cardinality(${seqs}) = 1 THEN (${seqs})[1]::text ELSE (
    SELECT CASE WHEN count(*) <= ${MAX_LOGGED_RANGES} THEN string_agg(CASE WHEN low = high THEN low::text ELSE low || '-' || high END, ',' ORDER BY low) END
    FROM (SELECT min(seq) AS low, max(seq) AS high FROM (SELECT seq, seq - row_number() OVER (ORDER BY seq) AS place FROM unnest(${seqs}) seq) s GROUP BY place) r
  ) END`;
}

/** How many ranges a text has beside its first one. */
const moreOf = (ranges: string) => `length(${ranges}) - length(replace(${ranges}, ',', ''))`;

/** The ranges of a line and later ones, those that touch as one; null if one is, or if they are too many. */
const UNITED = `CASE WHEN ${moreOf("l.seq_ranges")} + ${moreOf("noted.ranges")} + 2 > ${MAX_LOGGED_RANGES} THEN NULL
  WHEN substring(l.seq_ranges from '[0-9]+$')::bigint + 1 = substring(noted.ranges from '^[0-9]+')::bigint
  THEN regexp_replace(l.seq_ranges, '([0-9]+)(-[0-9]+)?$', '\\1-') || regexp_replace(noted.ranges, '^[0-9]+-', '')
  ELSE l.seq_ranges || ',' || noted.ranges END`;

/**
 * Common table expressions that log a change of each inbox under the number that it has after it, and drop what is beyond the
 * most that an inbox keeps. Each statement that raises `rev` has to have them.
 */
export function loggedChange({ inboxChanges }: TableNames, change: ChangeToLog): string {
  // A change of many inboxes leaves that to the next one of each.
  const isOfOne = change.owner === undefined;
  const {
    kind,
    from,
    inbox = "inbox",
    seqs,
    covering,
    upToSeq = "NULL",
    group = "NULL",
    until,
    owner = "$1::text, $2::text",
    continues,
  } = change;
  const at = milliseconds(change.at);
  const count = covering?.count ?? (seqs === undefined ? "NULL::int" : `cardinality(${seqs})`);
  const openUntil = change.openUntil === undefined ? "NULL" : milliseconds(change.openUntil);
  const oldest = `SELECT CASE WHEN rev % ${FORGOTTEN_AT_ONCE} = 0 THEN rev - ${MAX_LOGGED_CHANGES - FORGOTTEN_AT_ONCE} END FROM noted`;
  const joined = `joined AS (
      UPDATE ${inboxChanges} l SET rev = noted.rev, first_rev = coalesce(l.first_rev, l.rev), last_seq = noted.last_seq, seq_ranges = ${UNITED}, open_until = ${openUntil},
        item_count = l.item_count + noted.item_count
      FROM noted
      WHERE l.tenant = noted.tenant AND l.user_id = noted.user_id AND l.rev = noted.rev - 1 AND l.rev = ${continues} AND l.kind = '${kind}' AND l.at = ${at}
      RETURNING 1
    ),`;
  return `noted (tenant, user_id, rev, last_seq, ranges, item_count) AS MATERIALIZED (
      SELECT ${owner}, ${inbox}.rev + 1, ${inbox}.last_seq, ${covering?.ranges ?? (seqs === undefined ? "NULL::text" : rangesOf(seqs))}, ${count} FROM ${from}
    ),
    ${continues === undefined ? "" : joined}
    logged AS (
      INSERT INTO ${inboxChanges} (tenant, user_id, rev, last_seq, kind, at, seq_ranges, up_to_seq, of_group, until, open_until, item_count)
      SELECT noted.tenant, noted.user_id, noted.rev, noted.last_seq, '${kind}', ${at}, noted.ranges, ${upToSeq}, ${group},
        ${until === undefined ? "NULL" : milliseconds(until)}, ${openUntil}, ${covering === undefined ? "NULL" : "noted.item_count"}
      FROM noted ${continues === undefined ? "" : "WHERE NOT EXISTS (SELECT FROM joined)"}
    ),
    forgotten AS (
      DELETE FROM ${inboxChanges} WHERE ${isOfOne ? `tenant = $1 AND user_id = $2 AND rev <= (${oldest})` : "false"}
    )`;
}
