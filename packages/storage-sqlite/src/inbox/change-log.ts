import type { InboxCounts, LoggedKind, Owner } from "@belfry/core";
import {
  FORGOTTEN_AT_ONCE,
  lengthOf,
  MAX_LOGGED_CHANGES,
  parseRanges,
  rangesOf,
  rangesText,
  type SeqRange,
  uniteRanges,
} from "@belfry/core/storage";
import type { QueryContext } from "../database/statement.ts";
import { OWN } from "./conditions.ts";

/** A change to log: of named items, of all up to a number, or of a group's up to a number. */
export interface ChangeToLog {
  readonly kind: LoggedKind;
  readonly at: Date;
  readonly seqs?: readonly number[];
  /** The same as ranges. */
  readonly ranges?: readonly SeqRange[];
  /** How many items it changed, if the ranges have others among them. */
  readonly itemCount?: number;
  readonly upToSeq?: number;
  readonly group?: string;
  readonly until?: Date | null;
  /** The number of the step that it continues: see `Continued`. */
  readonly continues?: number | undefined;
  readonly openUntil?: Date | undefined;
}

interface LogValues extends Owner {
  readonly rev: number;
  readonly lastSeq: number;
  readonly kind: string;
  readonly at: Date;
  readonly ranges: string | null;
  readonly upToSeq: number | null;
  readonly group: string | null;
  readonly until: Date | null;
  readonly openUntil: Date | null;
  readonly itemCount: number | null;
}

/**
 * Logs a change of an inbox, under the number that `counts` have after it, and drops what is beyond the most that an inbox
 * keeps. Each call that raises `rev` has to call it, once, in the same transaction.
 */
export function prepareLogChange(context: QueryContext) {
  const { prepare } = context;
  const insert =
    prepare<LogValues>(`INSERT INTO belfry_inbox_changes (tenant, user_id, rev, last_seq, kind, at, seq_ranges, up_to_seq, of_group, until, open_until, item_count)
    VALUES (:tenant, :userId, :rev, :lastSeq, :kind, :at, :ranges, :upToSeq, :group, :until, :openUntil, :itemCount)`);
  const forget = prepare<Owner & { readonly forgotten: number }>(`DELETE FROM belfry_inbox_changes WHERE ${OWN} AND rev <= :forgotten`);
  const goOn = prepareContinue(context);
  return (owner: Owner, { rev, lastSeq }: InboxCounts, change: ChangeToLog): void => {
    const {
      kind,
      at,
      seqs = [],
      ranges = rangesOf(seqs),
      upToSeq = null,
      group = null,
      until = null,
      continues,
      openUntil = null,
      itemCount = null,
    } = change;
    if (continues !== rev - 1 || !goOn(owner, { rev, lastSeq, kind, at, openUntil, ranges })) {
      const text = ranges.length === 0 ? null : rangesText(ranges);
      insert.run({ ...owner, rev, lastSeq, kind, at, ranges: text, upToSeq, group, until, openUntil, itemCount });
    }
    const forgotten = rev - MAX_LOGGED_CHANGES + FORGOTTEN_AT_ONCE;
    if (rev % FORGOTTEN_AT_ONCE === 0 && forgotten > 0) {
      forget.run({ ...owner, forgotten });
    }
  };
}

type Step = Required<Pick<ChangeToLog, "kind" | "at" | "ranges">> & Pick<InboxCounts, "rev" | "lastSeq"> & Pick<LogValues, "openUntil">;

/** Puts a step of a call into the line of the step before it. False if that line is not there, or of another call. */
function prepareContinue({ prepare }: QueryContext) {
  const line = `${OWN} AND rev = :rev - 1 AND kind = :kind AND at = :at`;
  type Values = Owner & Omit<Step, "ranges">;
  const find = prepare<Values, { readonly ranges: string | null }>(`SELECT seq_ranges AS ranges FROM belfry_inbox_changes WHERE ${line}`);
  const move = prepare<Values & { readonly ranges: string | null; readonly added: number }>(`
    UPDATE belfry_inbox_changes SET rev = :rev, first_rev = coalesce(first_rev, rev), last_seq = :lastSeq, seq_ranges = :ranges,
      open_until = :openUntil, item_count = item_count + :added WHERE ${line}`);
  return (owner: Owner, { ranges, ...step }: Step): boolean => {
    const values = { ...owner, ...step };
    const found = find.get(values);
    if (found === undefined) {
      return false;
    }
    const before = found.ranges === null ? null : parseRanges(found.ranges);
    move.run({ ...values, added: lengthOf(ranges), ranges: before === null ? null : rangesText(uniteRanges([...before, ...ranges])) });
    return true;
  };
}
