import type { Owner } from "@belfry/core";
import type { MatchingStep } from "@belfry/core/storage";
import { isOfAllRead, KNOWS_REMOVED, LOOKED_AT_BESIDE, REMOVED_AT_LEAST } from "@belfry/storage-sql";
import type { QueryContext } from "../database/statement.ts";
import { OWN } from "./conditions.ts";
import type { InboxState } from "./inbox-state.ts";

/** Items that are deleted by a number of their inbox. */
export interface RemovedItems {
  /** The first number that may have one. */
  readonly first: number;
  readonly upTo: number;
  /** How many were active. */
  readonly count: number;
}

/**
 * Deletes the active items that a read mark covers, all up to a number, without changing any; null where they are to be deleted row by
 * row. That is so if an item up to the number could come back, is in a group, or if a process of an older version may read the inbox.
 */
export function prepareRemoveCovered(context: QueryContext) {
  const findCovered = prepareFindCovered(context);
  const isKnown = prepareIsKnown(context);
  const move = context.prepare<Owner & { readonly upTo: number; readonly at: Date }>(
    `UPDATE belfry_inbox_counters SET removed_after_seq = removed_up_to_seq, removed_up_to_seq = :upTo, removed_at = :at WHERE ${OWN}`,
  );
  return (owner: Owner, step: MatchingStep, state: InboxState): RemovedItems | null => {
    const { lastSeq, total } = state.counts;
    if (!isOfAllRead(step) || step.upTo < lastSeq || total < REMOVED_AT_LEAST || state.removedAt !== null) {
      return null;
    }
    const found = findCovered(owner, state);
    if (found === null || !isKnown()) {
      return null;
    }
    move.run({ ...owner, upTo: found.upTo, at: step.at });
    return found;
  };
}

type UpTo = Owner & { readonly upTo: number };

/** Finds the items, all of which are read and active, or deleted; null if they are few, or many are above them. */
function prepareFindCovered({ prepare, prepareRows }: QueryContext) {
  const items = (index: string) => `belfry_inbox_items INDEXED BY belfry_inbox_items_${index} WHERE ${OWN}`;
  const beforeFirst = (index: string, column: string) =>
    `coalesce((SELECT min(seq) FROM ${items(index)} AND ${column} IS NOT NULL) - 1, :upTo)`;
  const expiring = `SELECT 1 FROM ${items("expiring")} AND expires_at IS NOT NULL LIMIT ${LOOKED_AT_BESIDE + 1}`;
  const covered = prepareRows<UpTo, readonly [upTo: number]>(`
    SELECT min(:upTo, ${beforeFirst("archived", "archived_at")}, ${beforeFirst("snoozed", "snoozed_until")})
    WHERE NOT EXISTS (SELECT 1 FROM belfry_inbox_groups WHERE ${OWN}) AND (SELECT count(*) FROM (${expiring})) <= ${LOOKED_AT_BESIDE}`);
  const above = prepare<UpTo, { readonly looked: number; readonly active: number }>(`
    SELECT count(*) AS looked, count(*) FILTER (WHERE deleted_at IS NULL) AS active
    FROM (SELECT deleted_at FROM belfry_inbox_items WHERE ${OWN} AND seq > :upTo LIMIT ${LOOKED_AT_BESIDE + 1})`);
  return (owner: Owner, { counts, unreadAfterSeq, removedUpToSeq }: InboxState): RemovedItems | null => {
    const [upTo] = covered.get({ ...owner, upTo: unreadAfterSeq }) ?? [0];
    if (upTo <= removedUpToSeq) {
      return null;
    }
    const { looked, active } = above.get({ ...owner, upTo }) ?? { looked: 0, active: 0 };
    const count = counts.total - active;
    return looked > LOOKED_AT_BESIDE || count < REMOVED_AT_LEAST ? null : { first: removedUpToSeq + 1, upTo, count };
  };
}

/** Whether the database refuses packages that do not know such items. It never lets them in again. */
function prepareIsKnown({ prepareRows }: QueryContext) {
  // A host's own migrations may have left the table out.
  const table = prepareRows<object, readonly [one: number]>(
    "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'belfry_migrations'",
  );
  let isKnown = false;
  return (): boolean => {
    if (!isKnown && table.get({}) !== undefined) {
      const oldest = prepareRows<object, readonly [one: number]>(
        `SELECT 1 FROM belfry_migrations WHERE oldest_compatible >= ${KNOWS_REMOVED} LIMIT 1`,
      );
      isKnown = oldest.get({}) !== undefined;
    }
    return isKnown;
  };
}
