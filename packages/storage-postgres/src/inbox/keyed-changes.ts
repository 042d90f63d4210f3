import type { ItemRef, Owner } from "@belfry/core";
import {
  type ChangeKey,
  type ItemMarking,
  type ItemsChange,
  type MatchingChange,
  type MatchingStep,
  reusedKey,
  type WholeInboxChange,
  type WholeMarking,
} from "@belfry/core/storage";
import { type KeyedStep, type KeyNote, keyedChange, keyNote, requireOwnKey, stepOfMark, stepOfMatching } from "@belfry/storage-sql";
import { joining, type Session, type Transactional } from "../database/connection.ts";
import { isRepeated } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareChangeMatching } from "./change-matching.ts";
import { prepareMark, prepareMarkAllRead, prepareMarkAllSeen } from "./mark.ts";

/** A change that may have a key. */
interface MaybeKeyed<Done> {
  readonly owner: Owner;
  readonly key: ChangeKey | undefined;
  /** Whether it is the first step of its call, or the only one. @default true */
  readonly isFirst?: boolean;
  change(on: Transactional): Promise<Done>;
  stepOf(done: Done): KeyedStep;
}

/** A change that was made, and how many items all calls with its key found; undefined if the log does not have the key. */
interface Noted<Done> {
  readonly done: Done;
  readonly found?: number | undefined;
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
  const noteAgain = statement<[]>(
    "note_key_again",
    `UPDATE ${inboxChanges} SET body_hash = $4, found = $5 WHERE tenant = $1 AND user_id = $2 AND idempotency_key = $3`,
  );
  const find = statement<[bodyHash: string, count: number]>(
    "find_key",
    `SELECT body_hash, found FROM ${inboxChanges} WHERE tenant = $1 AND user_id = $2 AND idempotency_key = $3`,
  );
  const write = async (session: Session, { tenant, userId, key, rev, bodyHash, count }: Owner & KeyNote & Pick<ChangeKey, "key">) => {
    if (rev === null) {
      await session.rows(noteAgain, [tenant, userId, key, bodyHash, count]);
      return;
    }
    await session.rows(note, [tenant, userId, rev, key, bodyHash, count]).catch((error: unknown) => {
      throw isRepeated(error) ? reusedKey(key) : error;
    });
  };
  return <Done>({ owner, key: named, isFirst = true, change, stepOf }: MaybeKeyed<Done>) =>
    async (connection: Transactional): Promise<Noted<Done>> => {
      if (named === undefined) {
        return { done: await change(connection) };
      }
      const { key } = named;
      return await connection.transaction(async (session) => {
        // It holds the inbox, so that nobody else changes what the log has with the key.
        const done = await change(joining(session));
        const step = stepOf(done);
        const [row] = step.begun === undefined ? [] : await session.rows(find, [owner.tenant, owner.userId, key]);
        const made = row === undefined ? null : keyedChange({ bodyHash: row[0], count: row[1] });
        requireOwnKey(named, { isFirst, made });
        const noted = keyNote(named, step, made);
        if (noted !== null) {
          await write(session, { ...owner, ...noted, key });
        }
        return { done, found: noted?.count };
      });
    };
}

type PrepareWhole = (
  tables: TableNames,
) => (owner: Owner, at: Date, unlessDue: boolean) => (on: Transactional) => Promise<WholeInboxChange>;

function keyedWhole(prepare: PrepareWhole) {
  return (tables: TableNames) => {
    const [change, noted] = [prepare(tables), prepareNoteKey(tables)];
    return (owner: Owner, at: Date, { key, unlessDue = false }: WholeMarking = {}) =>
      async (on: Transactional) => {
        const keyed = noted({ owner, key, change: change(owner, at, unlessDue), stepOf: (done: WholeInboxChange) => done });
        return (await keyed(on)).done;
      };
  };
}

export const prepareKeyedMarkAllRead = keyedWhole(prepareMarkAllRead);
export const prepareKeyedMarkAllSeen = keyedWhole(prepareMarkAllSeen);

export function prepareKeyedMark(tables: TableNames) {
  const [mark, noted] = [prepareMark(tables), prepareNoteKey(tables)];
  return (owner: Owner, refs: readonly ItemRef[], marking: ItemMarking) => async (on: Transactional) => {
    const of = { owner, key: marking.key, change: mark(owner, refs, marking) };
    const keyed = noted({ ...of, stepOf: (done: ItemsChange) => stepOfMark(marking, done) });
    return (await keyed(on)).done;
  };
}

export function prepareKeyedChangeMatching(tables: TableNames) {
  const [change, noted] = [prepareChangeMatching(tables), prepareNoteKey(tables)];
  return (owner: Owner, step: MatchingStep) =>
    async (on: Transactional): Promise<MatchingChange> => {
      const of = { owner, key: step.key, isFirst: step.asOf === undefined, change: change(owner, step) };
      const { done, found } = await noted({ ...of, stepOf: (made: MatchingChange) => stepOfMatching(step, made) })(on);
      return { ...done, found };
    };
}
