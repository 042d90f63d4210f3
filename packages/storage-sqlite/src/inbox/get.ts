import type { InboxItem, ItemRef, Owner } from "@belfry/core";
import type { QueryContext } from "../database/query-context.ts";
import { prepareFindItem } from "./find-item.ts";
import { prepareInboxState } from "./inbox-state.ts";

/** Reads one item of an inbox. */
export function prepareGet(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const findItem = prepareFindItem(context);
  return (owner: Owner, ref: ItemRef, { includeDeleted = false }: { readonly includeDeleted?: boolean } = {}): InboxItem | null => {
    const found = findItem(owner, inboxState(owner), ref);
    return found === undefined || (found.isDeleted && !includeDeleted) ? null : found.item;
  };
}
