import type { LoggedKind, Owner } from "@belfry/core";
import {
  type ChangeLogStorage,
  EMPTY_COUNTS,
  type KeyedChange,
  type LoggedChange,
  lengthOf,
  parseRanges,
  rangesOf,
  type StepRange,
  type SweepStep,
} from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";
import { keyedChange } from "./keyed-line.ts";

interface CountsRow {
  readonly total: number;
  readonly unread: number;
  readonly seenUnread: number;
  readonly lastSeq: number;
  readonly epoch: string;
  readonly revNow: number;
  readonly dueAt: number | null;
}

interface ChangeRow {
  readonly rev: number;
  readonly lastSeq: number;
  readonly kind: LoggedKind;
  readonly at: number;
  readonly until: number | null;
  readonly firstRev: number | null;
  readonly openUntil: number | null;
  readonly ranges: string | null;
  /** In lines of an older version, a JSON list of numbers instead of `ranges`. */
  readonly seqs: string | null;
  readonly upToSeq: number | null;
  readonly group: string | null;
  readonly itemCount: number | null;
}

/** A row of the counters beside one of the log, or beside none. */
type ReadRow = CountsRow & (ChangeRow | { readonly rev: null }) & { readonly changeSeq: number };

/** The logs of inboxes in a SQL database, but for what writes them: that is a part of each changing statement. */
export function changeLogOf(sql: Sql): ChangeLogStorage {
  const { inboxChanges, inboxCounters } = sql.tables;
  const change = `l.rev, l.first_rev AS "firstRev", l.open_until AS "openUntil", l.kind, l.at, l.until, l.seqs, l.seq_ranges AS "ranges", l.up_to_seq AS "upToSeq", l.of_group AS "group", l.item_count AS "itemCount"`;
  const later = `${inboxChanges} l ON l.tenant = c.tenant AND l.user_id = c.user_id AND l.rev > $3`;
  const after = `SELECT c.total, c.unread, coalesce(c.seen_unread, 0) AS "seenUnread", c.last_seq AS "lastSeq", c.epoch, c.rev AS "revNow", ${sql.milliseconds("c.due_at")} AS "dueAt",
      l.last_seq AS "changeSeq", ${change}
    FROM ${inboxCounters} c LEFT JOIN ${later} WHERE c.tenant = $1 AND c.user_id = $2 ORDER BY l.rev LIMIT $4`;
  const exported = `SELECT l.last_seq AS "lastSeq", ${change} FROM ${inboxChanges} l
    WHERE l.tenant = $1 AND l.user_id = $2 AND l.rev > $3 ORDER BY l.rev LIMIT $4`;
  const withKey = `SELECT body_hash AS "bodyHash", found AS count FROM ${inboxChanges}
    WHERE tenant = $1 AND user_id = $2 AND idempotency_key = $3`;
  return {
    async changesAfter({ tenant, userId }: Owner, rev, limit) {
      const rows = await sql.rows<ReadRow>("changes_after", after, [tenant, userId, rev, limit]);
      const [first] = rows;
      if (first === undefined) {
        return { changes: [], counts: EMPTY_COUNTS };
      }
      const { total, unread, seenUnread, lastSeq, epoch, revNow, dueAt } = first;
      const counts = {
        total,
        unread,
        unseen: Math.max(unread - seenUnread, 0),
        lastSeq,
        epoch,
        rev: revNow,
        ...(dueAt === null ? {} : { dueAt: new Date(dueAt) }),
      };
      return { changes: rows.flatMap((row) => (row.rev === null ? [] : toChange({ ...row, lastSeq: row.changeSeq }))), counts };
    },
    async changeWithKey({ tenant, userId }: Owner, key) {
      const [made] = await sql.rows<KeyedChange>("change_with_key", withKey, [tenant, userId, key]);
      return made === undefined ? null : keyedChange(made);
    },
    async exportChanges({ tenant, userId }: Owner, range) {
      const rows = await sql.rows<ChangeRow>("export_changes", exported, [tenant, userId, Number(range.after ?? 0), range.limit]);
      const last = rows.length < range.limit ? undefined : rows.at(-1);
      return { records: rows.map(toChange), next: last === undefined ? null : String(last.rev) };
    },
    sweepChanges: sweepChangesOf(sql),
  };
}

/** How many inboxes a step of a sweep looks at, and from how many of those with old changes it removes them. */
const LOOKED_AT = 500;
const SWEPT_AT_ONCE = 50;

interface LoggedInbox extends Owner {
  /** When its oldest change was made; null if none is logged. */
  readonly oldest: number | null;
}

/**
 * Removes old changes, inbox by inbox in the order of their key, in which the oldest change of each comes first: an index by time
 * would make each change dearer. Changes that another transaction is about to forget are left to it.
 */
function sweepChangesOf(sql: Sql): ChangeLogStorage["sweepChanges"] {
  const { inboxChanges, inboxCounters } = sql.tables;
  const look = `SELECT c.tenant, c.user_id AS "userId", CASE WHEN c.rev > 0 THEN (
      SELECT l.at FROM ${inboxChanges} l WHERE l.tenant = c.tenant AND l.user_id = c.user_id ORDER BY l.rev LIMIT 1) END AS oldest
    FROM ${inboxCounters} c WHERE (c.tenant, c.user_id) > ($1, $2) ORDER BY c.tenant, c.user_id LIMIT ${LOOKED_AT}`;
  const old = `SELECT l.tenant, l.user_id, l.rev FROM ${inboxChanges} l WHERE l.tenant = $1 AND ${sql.isIn("l.user_id", "$2", "text")} AND l.at < $3
    ORDER BY l.user_id, l.rev LIMIT $4 ${sql.skipLocked("l")}`;
  const forget = `DELETE FROM ${inboxChanges} WHERE (tenant, user_id, rev) IN (${old}) RETURNING rev`;
  return async (before: Date, { after, limit }: StepRange): Promise<SweepStep> => {
    const from = after ?? JSON.stringify(["", ""]);
    const inboxes = await sql.rows<LoggedInbox>("look_at_changes", look, JSON.parse(from) as readonly string[]);
    const due = inboxes.filter(({ oldest }) => oldest !== null && oldest < before.getTime());
    const swept = due.filter(({ tenant }) => tenant === due[0]?.tenant).slice(0, SWEPT_AT_ONCE);
    const users = JSON.stringify(swept.map(({ userId }) => userId));
    const values = [swept[0]?.tenant, users, before.getTime(), limit];
    const removed = swept.length === 0 ? 0 : (await sql.rows("sweep_changes", forget, values)).length;
    if (removed >= limit) {
      return { removed, next: from };
    }
    const last = swept.length < due.length ? swept.at(-1) : inboxes.at(-1);
    const isEnd = last === undefined || (last === inboxes.at(-1) && inboxes.length < LOOKED_AT);
    return { removed, next: isEnd ? null : JSON.stringify([last.tenant, last.userId]) };
  };
}

function toChange({
  rev,
  firstRev,
  openUntil,
  lastSeq,
  kind,
  at,
  until,
  ranges: text,
  seqs,
  upToSeq,
  group,
  itemCount,
}: ChangeRow): LoggedChange {
  const listed = seqs === null ? null : rangesOf(JSON.parse(seqs) as readonly number[]);
  const ranges = text === null ? listed : parseRanges(text);
  return {
    ...{ rev, firstRev: firstRev ?? rev, lastSeq, kind, upToSeq, group },
    at: new Date(at),
    openUntil: openUntil === null ? null : new Date(openUntil),
    until: until === null ? null : new Date(until),
    ranges,
    count: ranges === null ? null : (itemCount ?? lengthOf(ranges)),
  };
}
