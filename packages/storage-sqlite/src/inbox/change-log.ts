import type { InboxCounts, LoggedKind, Owner } from "@belfry/core";
import { MAX_LOGGED_CHANGES, MAX_LOGGED_SEQS } from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { OWN } from "./conditions.ts";

/** A change to log: of named items, of all up to a number, or of a group's up to a number. */
export interface ChangeToLog {
  readonly kind: LoggedKind;
  readonly at: Date;
  readonly seqs?: readonly number[];
  readonly upToSeq?: number;
  readonly group?: string;
  readonly until?: Date | null;
}

interface LogValues extends Owner {
  readonly rev: number;
  readonly lastSeq: number;
  readonly kind: string;
  readonly at: Date;
  readonly seqs: string | null;
  readonly upToSeq: number | null;
  readonly group: string | null;
  readonly until: Date | null;
  readonly kept: number;
}

/**
 * Logs a change of an inbox, under the number that `counts` have after it, and drops what is beyond the most that an inbox
 * keeps. Each call that raises `rev` has to call it, once, in the same transaction.
 */
export function prepareLogChange({ prepare }: QueryContext) {
  const insert =
    prepare<LogValues>(`INSERT INTO belfry_inbox_changes (tenant, user_id, rev, last_seq, kind, at, seqs, up_to_seq, of_group, until)
    VALUES (:tenant, :userId, :rev, :lastSeq, :kind, :at, :seqs, :upToSeq, :group, :until)`);
  const forget = prepare<LogValues>(`DELETE FROM belfry_inbox_changes WHERE ${OWN} AND rev <= :kept`);
  return (owner: Owner, { rev, lastSeq }: InboxCounts, { kind, at, seqs, upToSeq, group, until }: ChangeToLog): void => {
    const named = seqs === undefined || seqs.length > MAX_LOGGED_SEQS ? null : JSON.stringify(seqs.toSorted((one, other) => one - other));
    const covered = { seqs: named, upToSeq: upToSeq ?? null, group: group ?? null };
    const values = { ...owner, rev, lastSeq, kind, at, ...covered, until: until ?? null, kept: rev - MAX_LOGGED_CHANGES };
    insert.run(values);
    if (values.kept > 0) {
      forget.run(values);
    }
  };
}
