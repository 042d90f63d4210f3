import { sseEvent } from "../http/sse.ts";
import type { InboxPosition } from "../inbox/index.ts";

/** Writes a position as clients give it back. */
export function positionText({ epoch, seq, rev }: InboxPosition): string {
  return rev === undefined ? `${epoch}:${seq}` : `${epoch}:${seq}:${rev}`;
}

/** An event that was made, and of what. */
interface Made {
  readonly event: string;
  readonly data: string;
  readonly at: InboxPosition;
  readonly text: string;
}

let latest: Made | null = null;

/**
 * Returns a Server-Sent Event from which a client resumes at a position. All streams of a user are sent the same one, one after the other,
 * so all but the first find it made, and make no text of their position either.
 */
export function eventAt(event: string, data: string, at: InboxPosition): string {
  if (latest?.data !== data || latest.event !== event || !isSame(latest.at, at)) {
    latest = { event, data, at, text: sseEvent({ event, id: positionText(at), data }) };
  }
  return latest.text;
}

function isSame(one: InboxPosition, other: InboxPosition): boolean {
  return one.seq === other.seq && one.rev === other.rev && one.epoch === other.epoch;
}
