import type { InboxRetention, StepRange } from "@belfry/core/storage";

/** How many rows a step of a sweep looks at, without a lock where that is possible. Fewer of them are removed. */
export const LOOKED_AT = 100;

/** A row that a sweep looked at: whether it is old enough, and whether nothing else keeps it either. */
export type LookedAt = readonly [isOld: boolean | number, isOver: boolean | number, ...rest: readonly unknown[]];

/**
 * Picks the rows that a step removes: up to its limit. `last` is the row after which the next step goes on; undefined if none has
 * to follow. Rows come in the order in which they were made, so that those after a page without old ones are not old either.
 */
export function sweepStep<Row extends LookedAt>(
  rows: readonly Row[],
  { limit }: Pick<StepRange, "limit">,
): { readonly over: readonly Row[]; readonly last: Row | undefined } {
  const over = rows.filter(([, isOver]) => isOver).slice(0, limit);
  if (over.length === limit) {
    return { over, last: over.at(-1) };
  }
  return { over, last: rows.length === LOOKED_AT && rows.some(([isOld]) => isOld) ? rows.at(-1) : undefined };
}

/** The time before which an item has to have come, to be swept at all. */
export function newestBefore({ types, ...general }: InboxRetention): Date {
  const times = [general, ...Object.values(types)].flatMap(({ readBefore, unreadBefore }) => [readBefore, unreadBefore]);
  return new Date(Math.max(...times.map((time) => time.getTime())));
}
