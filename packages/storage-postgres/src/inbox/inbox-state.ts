import type { InboxCounts } from "@belfry/core";
import { EMPTY_COUNTS } from "@belfry/core/storage";
import type { TableNames } from "../database/table-names.ts";

/** The counts of an inbox as a statement answers with them; of each the first columns. */
export type CountsRow = readonly [lastSeq: number, total: number, unread: number, epoch: string, rev: number, ...rest: readonly unknown[]];

/** The columns of a {@link CountsRow}, of `inbox`. */
export const COUNTS_COLUMNS = "inbox.last_seq, inbox.total, inbox.unread, inbox.epoch, inbox.rev";

/** How many columns {@link COUNTS_COLUMNS} has. */
export const COUNTS_WIDTH = 5;

/**
 * A common table expression called `inbox`: the state of the inbox of tenant $1 and user $2, as one row, or none if it
 * never had an item.
 */
export function inboxState({ inboxCounters }: TableNames): string {
  return `inbox AS (
    SELECT last_seq, total, unread, read_up_to_seq, epoch, rev, read_rev, reopened_from_seq FROM ${inboxCounters}
    WHERE tenant = $1 AND user_id = $2 AND last_seq > 0
  )`;
}

/** The counts in a row; an inbox without a row never had an item. */
export function toCounts(row: CountsRow | undefined): InboxCounts {
  if (row === undefined) {
    return EMPTY_COUNTS;
  }
  const [lastSeq, total, unread, epoch, rev] = row;
  return { total, unread, lastSeq, epoch, rev };
}
