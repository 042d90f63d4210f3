import type { InboxCounts, Owner } from "@belfry/core";
import type { QueryContext } from "../database/query-context.ts";
import { prepareInboxState } from "./inbox-state.ts";

/** Reads the counts of an inbox. */
export function prepareCounts(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  return (owner: Owner): InboxCounts => inboxState(owner).counts;
}
