import type { InboxPosition } from "../../inbox/index.ts";

/** A position, `epoch:seq:rev`, as the source of a regular expression. */
export const POSITION = "([0-9a-z]{1,32}):(\\d{1,16})(?::(\\d{1,16}))?";

const WHOLE = new RegExp(`^${POSITION}$`);

/** Stands for a position that cannot be. A replay from it says that nothing was recovered. */
const NOWHERE: InboxPosition = { seq: -1, epoch: "", rev: 0 };

/** Reads a position; undefined for none. */
export function positionOf(given: string | null | undefined): InboxPosition | undefined {
  if (given === null || given === undefined || given === "") {
    return undefined;
  }
  const [, epoch, seq, rev] = WHOLE.exec(given) ?? [];
  return epoch === undefined ? NOWHERE : { epoch, seq: Number(seq), ...(rev === undefined ? {} : { rev: Number(rev) }) };
}
