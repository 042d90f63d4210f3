import type { InboxPosition } from "../../inbox/index.ts";

/** An unusable position still asks for a replay: it is answered with `recovered: false`. */
const NOWHERE: InboxPosition = { seq: -1, epoch: "" };

/** The position in `since=<seq>&epoch=<epoch>`; undefined when there is no `since`. */
export function positionOfQuery(query: URLSearchParams): InboxPosition | undefined {
  const since = query.get("since");
  return since === null ? undefined : position(since, query.get("epoch") ?? "");
}

/** The SSE event id of a position: `epoch:seq`. */
export function eventId({ seq, epoch }: InboxPosition): string {
  return `${epoch}:${seq}`;
}

/** The position in an SSE event id, `epoch:seq`; undefined when there is none. */
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
