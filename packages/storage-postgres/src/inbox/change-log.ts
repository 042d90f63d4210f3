import type { LoggedKind } from "@belfry/core";
import { MAX_LOGGED_CHANGES, MAX_LOGGED_SEQS } from "@belfry/core/storage";
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
  /** The numbers of its items as JSON text: see {@link LOGGED_SEQS}. */
  readonly seqs?: string;
  readonly upToSeq?: string;
  readonly group?: string;
  /** A timestamp. */
  readonly until?: string;
  /** The columns of its owner. @default the parameters $1 and $2 */
  readonly owner?: string;
}

/** An aggregate over changed items: their numbers, as the log keeps them. */
export const LOGGED_SEQS = `CASE WHEN count(*) <= ${MAX_LOGGED_SEQS} THEN json_agg(seq ORDER BY seq)::text END`;

/** The change of the held `inbox` whose items are counted in `tally`, and named there as {@link LOGGED_SEQS}. */
export const LOGGED_TALLY = { from: "inbox CROSS JOIN tally WHERE tally.changed > 0", seqs: "tally.seqs" };

/**
 * Common table expressions that log a change of each inbox under the number that it has after it, and drop what is beyond the
 * most that an inbox keeps. Each statement that raises `rev` has to have them.
 */
export function loggedChange({ inboxChanges }: TableNames, change: ChangeToLog): string {
  // A change of many inboxes leaves that to the next one of each.
  const isOfOne = change.owner === undefined;
  const { kind, from, inbox = "inbox", at, seqs = "NULL", upToSeq = "NULL", group = "NULL", until, owner = "$1::text, $2::text" } = change;
  return `noted (tenant, user_id, rev, last_seq, seqs) AS MATERIALIZED (SELECT ${owner}, ${inbox}.rev + 1, ${inbox}.last_seq, ${seqs} FROM ${from}),
    logged AS (
      INSERT INTO ${inboxChanges} (tenant, user_id, rev, last_seq, kind, at, seqs, up_to_seq, of_group, until)
      SELECT noted.tenant, noted.user_id, noted.rev, noted.last_seq, '${kind}', ${milliseconds(at)}, noted.seqs, ${upToSeq}, ${group},
        ${until === undefined ? "NULL" : milliseconds(until)}
      FROM noted
    ),
    forgotten AS (
      DELETE FROM ${inboxChanges} WHERE ${isOfOne ? `tenant = $1 AND user_id = $2 AND rev <= (SELECT rev - ${MAX_LOGGED_CHANGES} FROM noted)` : "false"}
    )`;
}
