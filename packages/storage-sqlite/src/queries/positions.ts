import type { InboxPosition, Owner } from "@belfry/core";
import type { QueryContext } from "../query-context.ts";
import { prepareCounts } from "./counts.ts";

/** Reads the last number and the epoch of several inboxes, each one row by its key. */
export function preparePositions(context: QueryContext) {
  const counts = prepareCounts(context);
  return (owners: readonly Owner[]): readonly InboxPosition[] =>
    owners.map((owner) => {
      const { lastSeq, epoch } = counts(owner);
      return { seq: lastSeq, epoch };
    });
}
