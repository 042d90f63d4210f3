import type { ActivitySummary } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import type { SearchFilter } from "./search-filter.ts";

type Summary = Json<ActivitySummary>;

/** The states of what is still to be delivered: nothing of a send that is over is in one of them. */
const UNDER_WAY: readonly string[] = ["scheduled", "due", "running", "retrying", "held"];

/**
 * Whether a notification may match a search, as far as its line tells. False is certain; only the server knows all of what a search looks at.
 */
export function mayMatch(filter: SearchFilter, summary: Summary): boolean {
  const { id, kind, type, channel, status, state, from, before } = filter;
  const isOver = summary.status !== null && summary.status !== "pending";
  const isOut = [
    id !== undefined && id.toLowerCase() !== summary.id,
    kind !== undefined && kind !== summary.kind,
    type !== undefined && type !== summary.type,
    channel !== undefined && !summary.channels.includes(channel),
    status !== undefined && status !== summary.status,
    state !== undefined && (summary.kind !== "send" || (isOver && UNDER_WAY.includes(state))),
    from !== undefined && summary.createdAt < from,
    before !== undefined && summary.createdAt >= before,
  ];
  return !isOut.includes(true);
}
