import type { LoggedKind, Owner } from "@belfry/core";
import { type ChangeLogStorage, EMPTY_COUNTS, type LoggedChange } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";

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
  readonly seqs: string | null;
  readonly upToSeq: number | null;
  readonly group: string | null;
}

/** A row of the counters beside one of the log, or beside none. */
type ReadRow = CountsRow & (ChangeRow | { readonly rev: null }) & { readonly changeSeq: number };

/** The logs of inboxes in a SQL database, but for what writes them: that is a part of each changing statement. */
export function changeLogOf(sql: Sql): ChangeLogStorage {
  const { inboxChanges, inboxCounters } = sql.tables;
  const change = `l.rev, l.kind, l.at, l.until, l.seqs, l.up_to_seq AS "upToSeq", l.of_group AS "group"`;
  const later = `${inboxChanges} l ON l.tenant = c.tenant AND l.user_id = c.user_id AND l.rev > $3`;
  const after = `SELECT c.total, c.unread, coalesce(c.seen_unread, 0) AS "seenUnread", c.last_seq AS "lastSeq", c.epoch, c.rev AS "revNow", ${sql.milliseconds("c.due_at")} AS "dueAt",
      l.last_seq AS "changeSeq", ${change}
    FROM ${inboxCounters} c LEFT JOIN ${later} WHERE c.tenant = $1 AND c.user_id = $2 AND c.last_seq > 0 ORDER BY l.rev LIMIT $4`;
  const exported = `SELECT l.last_seq AS "lastSeq", ${change} FROM ${inboxChanges} l
    WHERE l.tenant = $1 AND l.user_id = $2 AND l.rev > $3 ORDER BY l.rev LIMIT $4`;
  const old = `SELECT tenant, user_id, rev FROM ${inboxChanges} WHERE at < $1 ORDER BY at LIMIT $2`;
  const forget = `DELETE FROM ${inboxChanges} WHERE (tenant, user_id, rev) IN (${old}) RETURNING rev`;
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
    async exportChanges({ tenant, userId }: Owner, range) {
      const rows = await sql.rows<ChangeRow>("export_changes", exported, [tenant, userId, Number(range.after ?? 0), range.limit]);
      const last = rows.length < range.limit ? undefined : rows.at(-1);
      return { records: rows.map(toChange), next: last === undefined ? null : String(last.rev) };
    },
    async sweepChanges(before, { limit }) {
      const removed = (await sql.rows("sweep_changes", forget, [before.getTime(), limit])).length;
      return { removed, next: removed < limit ? null : "" };
    },
  };
}

function toChange({ rev, lastSeq, kind, at, until, seqs, upToSeq, group }: ChangeRow): LoggedChange {
  return {
    ...{ rev, lastSeq, kind, upToSeq, group },
    at: new Date(at),
    until: until === null ? null : new Date(until),
    seqs: seqs === null ? null : (JSON.parse(seqs) as readonly number[]),
  };
}
