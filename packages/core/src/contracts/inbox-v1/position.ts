import type { InboxPosition } from "../../inbox/index.ts";

/** Stands for an unusable position. It still requests a replay, which is answered with `recovered: false`. */
const NOWHERE: InboxPosition = { seq: -1, epoch: "" };

/** Returns the position in `since=<seq>&epoch=<epoch>`, or undefined without `since`. */
export function positionOfQuery(query: URLSearchParams): InboxPosition | undefined {
  const since = query.get("since");
  return since === null ? undefined : position(since, query.get("epoch") ?? "");
}

/** Returns the SSE event id of a position: `epoch:seq`. */
export function eventId({ seq, epoch }: InboxPosition): string {
  return `${epoch}:${seq}`;
}

/** Returns the position in an SSE event id, `epoch:seq`, or undefined if there is none. */
export function positionOfEventId(id: string | undefined): InboxPosition | undefined {
  if (id === undefined || id === "") {
    return undefined;
  }
  const [epoch = "", seq = ""] = id.split(":", 2);
  return position(seq, epoch);
}

function position(seq: string, epoch: string): InboxPosition {
  const number = /^\d{1,16}$/.test(seq) ? Number(seq) : Number.NaN;
  return Number.isSafeInteger(number) ? { seq: number, epoch } : NOWHERE;
}
