import type { ItemRef, Owner } from "@belfry/core";
import type { ChangeKey, ItemMarking, MatchingChange, MatchingStep, WholeInboxChange, WholeMarking } from "@belfry/core/storage";
import { type KeyedStep, type KeyNote, keyedChange, keyNote, requireOwnKey, stepOfMark, stepOfMatching } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { prepareChangeMatching } from "./change-matching.ts";
import { OWN } from "./conditions.ts";
import { prepareMark, prepareMarkAllRead, prepareMarkAllSeen } from "./mark.ts";

/** A change that may have a key. */
interface MaybeKeyed<Done> {
  readonly owner: Owner;
  readonly key: ChangeKey | undefined;
  /** Whether it is the first step of its call, or the only one. @default true */
  readonly isFirst?: boolean;
  change(): Done;
  stepOf(done: Done): KeyedStep;
}

/** A change that was made, and how many items all calls with its key found; undefined if the log does not have the key. */
interface Noted<Done> {
  readonly done: Done;
  readonly found?: number | undefined;
}

interface KeyValues extends Owner {
  readonly key: string;
}

/**
 * Makes changes. One with a key is noted in the log with it; if the log has another one with the key, nothing is changed. Few have one: the
 * statements are made when they are first needed.
 */
function prepareNoteKey({ prepare }: QueryContext) {
  const prepareStatements = () => ({
    find: prepare<KeyValues, { readonly bodyHash: string; readonly count: number }>(
      `SELECT body_hash AS bodyHash, found AS count FROM belfry_inbox_changes INDEXED BY belfry_inbox_changes_idempotency WHERE ${OWN} AND idempotency_key = :key`,
    ),
    note: prepare<KeyValues & KeyNote>(
      `UPDATE belfry_inbox_changes SET idempotency_key = :key, body_hash = :bodyHash, found = :count WHERE ${OWN} AND rev = :rev`,
    ),
    noteAgain: prepare<KeyValues & KeyNote>(
      `UPDATE belfry_inbox_changes SET body_hash = :bodyHash, found = :count WHERE ${OWN} AND idempotency_key = :key`,
    ),
  });
  let statements: ReturnType<typeof prepareStatements> | undefined;
  return <Done>({ owner, key: named, isFirst = true, change, stepOf }: MaybeKeyed<Done>): Noted<Done> => {
    if (named === undefined) {
      return { done: change() };
    }
    statements ??= prepareStatements();
    const values = { ...owner, key: named.key };
    const row = statements.find.get(values);
    const made = row === undefined ? null : keyedChange(row);
    requireOwnKey(named, { isFirst, made });
    const done = change();
    const note = keyNote(named, stepOf(done), made);
    if (note !== null) {
      const statement = note.rev === null ? statements.noteAgain : statements.note;
      statement.run({ ...values, ...note });
    }
    return { done, found: note?.count };
  };
}

function keyedWhole(prepare: (context: QueryContext) => (owner: Owner, at: Date, unlessDue: boolean) => WholeInboxChange) {
  return (context: QueryContext) => {
    const [change, noted] = [prepare(context), prepareNoteKey(context)];
    return (owner: Owner, at: Date, { key, unlessDue = false }: WholeMarking = {}) =>
      noted({ owner, key, change: () => change(owner, at, unlessDue), stepOf: (done: WholeInboxChange) => done }).done;
  };
}

export const prepareKeyedMarkAllRead = keyedWhole(prepareMarkAllRead);
export const prepareKeyedMarkAllSeen = keyedWhole(prepareMarkAllSeen);

export function prepareKeyedMark(context: QueryContext) {
  const [mark, noted] = [prepareMark(context), prepareNoteKey(context)];
  return (owner: Owner, refs: readonly ItemRef[], marking: ItemMarking) =>
    noted({ owner, key: marking.key, change: () => mark(owner, refs, marking), stepOf: (done) => stepOfMark(marking, done) }).done;
}

export function prepareKeyedChangeMatching(context: QueryContext) {
  const [change, noted] = [prepareChangeMatching(context), prepareNoteKey(context)];
  return (owner: Owner, step: MatchingStep): MatchingChange => {
    const isFirst = step.asOf === undefined;
    const of = { owner, key: step.key, isFirst, change: () => change(owner, step) };
    const { done, found } = noted({ ...of, stepOf: (made: MatchingChange) => stepOfMatching(step, made) });
    return { ...done, found };
  };
}
