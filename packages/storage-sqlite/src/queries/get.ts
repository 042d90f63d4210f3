import type { InboxItem, ItemRef, Owner } from "@belfry/core";
import type { QueryContext } from "../query-context.ts";
import { prepareFindItem } from "./find-item.ts";
import { toItem } from "./item-row.ts";

/** Reads one item of an inbox. */
export function prepareGet(context: QueryContext) {
  const findItem = prepareFindItem(context);
  return (owner: Owner, { ref, includeDeleted }: { readonly ref: ItemRef; readonly includeDeleted: boolean }): InboxItem | null => {
    const row = findItem(owner, ref);
    return row === undefined || (row.deleted_at !== null && !includeDeleted) ? null : toItem(row, owner);
  };
}
