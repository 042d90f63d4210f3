import type { InboxPosition, Owner } from "@belfry/core";
import type { QueryContext } from "../database/query-context.ts";
import { prepareInboxState } from "./inbox-state.ts";

/** Reads the last number and the epoch of several inboxes, each one row by its key. */
export function preparePositions(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  return (owners: readonly Owner[]): readonly InboxPosition[] =>
    owners.map((owner) => {
      const { lastSeq, epoch } = inboxState(owner).counts;
      return { seq: lastSeq, epoch };
    });
}
