import type { ItemRef, Owner } from "@belfry/core";
import { type ChangeKey, type ItemMarking, type MatchingStep, reusedKey, type WholeInboxChange } from "@belfry/core/storage";
import { type KeyedStep, keyedLine, stepOfMark, stepOfMatching } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { prepareChangeMatching } from "./change-matching.ts";
import { OWN } from "./conditions.ts";
import { prepareMark, prepareMarkAllRead, prepareMarkAllSeen } from "./mark.ts";

/** A change that may have a key. */
interface MaybeKeyed<Done> {
  readonly owner: Owner;
  readonly key: ChangeKey | undefined;
  change(): Done;
  stepOf(done: Done): KeyedStep;
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
    find: prepare<KeyValues, { readonly rev: number }>(
      `SELECT rev FROM belfry_inbox_changes INDEXED BY belfry_inbox_changes_idempotency WHERE ${OWN} AND idempotency_key = :key`,
    ),
    note: prepare<KeyValues & { readonly bodyHash: string; readonly found: number; readonly rev: number }>(
      `UPDATE belfry_inbox_changes SET idempotency_key = :key, body_hash = :bodyHash, found = :found WHERE ${OWN} AND rev = :rev`,
    ),
  });
  let statements: ReturnType<typeof prepareStatements> | undefined;
  return <Done>({ owner, key: named, change, stepOf }: MaybeKeyed<Done>): Done => {
    if (named === undefined) {
      return change();
    }
    statements ??= prepareStatements();
    const { key, bodyHash, countBefore = 0 } = named;
    if (statements.find.get({ ...owner, key }) !== undefined) {
      throw reusedKey(key);
    }
    const done = change();
    const line = keyedLine(stepOf(done));
    if (line !== null) {
      statements.note.run({ ...owner, key, bodyHash, found: countBefore + line.count, rev: line.rev });
    }
    return done;
  };
}

function keyedWhole(prepare: (context: QueryContext) => (owner: Owner, at: Date) => WholeInboxChange) {
  return (context: QueryContext) => {
    const [change, noted] = [prepare(context), prepareNoteKey(context)];
    return (owner: Owner, at: Date, key?: ChangeKey) =>
      noted({ owner, key, change: () => change(owner, at), stepOf: (done: WholeInboxChange) => done });
  };
}

export const prepareKeyedMarkAllRead = keyedWhole(prepareMarkAllRead);
export const prepareKeyedMarkAllSeen = keyedWhole(prepareMarkAllSeen);

export function prepareKeyedMark(context: QueryContext) {
  const [mark, noted] = [prepareMark(context), prepareNoteKey(context)];
  return (owner: Owner, refs: readonly ItemRef[], marking: ItemMarking) =>
    noted({ owner, key: marking.key, change: () => mark(owner, refs, marking), stepOf: (done) => stepOfMark(marking, done) });
}

export function prepareKeyedChangeMatching(context: QueryContext) {
  const [change, noted] = [prepareChangeMatching(context), prepareNoteKey(context)];
  return (owner: Owner, step: MatchingStep) =>
    noted({ owner, key: step.key, change: () => change(owner, step), stepOf: (done) => stepOfMatching(step, done) });
}
