import type { ItemRef, Owner } from "@belfry/core";
import { type ChangeKey, type ItemMarking, type MatchingStep, reusedKey, type WholeInboxChange } from "@belfry/core/storage";
import { type KeyedStep, keyedLine, stepOfMark, stepOfMatching } from "@belfry/storage-sql";
import { joining, type Transactional } from "../database/connection.ts";
import { isRepeated } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareChangeMatching } from "./change-matching.ts";
import { prepareMark, prepareMarkAllRead, prepareMarkAllSeen } from "./mark.ts";

/** A change that may have a key. */
interface MaybeKeyed<Done> {
  readonly owner: Owner;
  readonly key: ChangeKey | undefined;
  change(on: Transactional): Promise<Done>;
  stepOf(done: Done): KeyedStep;
}

/**
 * Makes changes. One with a key is noted in the log with it, in one transaction; if the log has another one with the key, nothing is
 * changed: the index lets in one.
 */
function prepareNoteKey({ inboxChanges }: TableNames) {
  const note = statement<[]>(
    "note_key",
    `UPDATE ${inboxChanges} SET idempotency_key = $4, body_hash = $5, found = $6 WHERE tenant = $1 AND user_id = $2 AND rev = $3`,
  );
  return <Done>({ owner: { tenant, userId }, key: named, change, stepOf }: MaybeKeyed<Done>) =>
    (connection: Transactional): Promise<Done> => {
      if (named === undefined) {
        return change(connection);
      }
      const { key, bodyHash, countBefore = 0 } = named;
      return connection.transaction(async (session) => {
        const done = await change(joining(session));
        const line = keyedLine(stepOf(done));
        if (line !== null) {
          await session.rows(note, [tenant, userId, line.rev, key, bodyHash, countBefore + line.count]).catch((error: unknown) => {
            throw isRepeated(error) ? reusedKey(key) : error;
          });
        }
        return done;
      });
    };
}

function keyedWhole(prepare: (tables: TableNames) => (owner: Owner, at: Date) => (on: Transactional) => Promise<WholeInboxChange>) {
  return (tables: TableNames) => {
    const [change, noted] = [prepare(tables), prepareNoteKey(tables)];
    return (owner: Owner, at: Date, key?: ChangeKey) =>
      noted({ owner, key, change: change(owner, at), stepOf: (done: WholeInboxChange) => done });
  };
}

export const prepareKeyedMarkAllRead = keyedWhole(prepareMarkAllRead);
export const prepareKeyedMarkAllSeen = keyedWhole(prepareMarkAllSeen);

export function prepareKeyedMark(tables: TableNames) {
  const [mark, noted] = [prepareMark(tables), prepareNoteKey(tables)];
  return (owner: Owner, refs: readonly ItemRef[], marking: ItemMarking) =>
    noted({ owner, key: marking.key, change: mark(owner, refs, marking), stepOf: (done) => stepOfMark(marking, done) });
}

export function prepareKeyedChangeMatching(tables: TableNames) {
  const [change, noted] = [prepareChangeMatching(tables), prepareNoteKey(tables)];
  return (owner: Owner, step: MatchingStep) =>
    noted({ owner, key: step.key, change: change(owner, step), stepOf: (done) => stepOfMatching(step, done) });
}
