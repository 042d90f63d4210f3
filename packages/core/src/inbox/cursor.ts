import { fingerprint } from "../foundation/fingerprint.ts";
import type { Owner } from "../foundation/owner.ts";
import type { InboxStatus } from "./inbox-item.ts";

/** The list that a cursor belongs to. Any other list refuses the cursor. */
export interface CursorScope {
  readonly owner: Owner;
  readonly status: InboxStatus;
  readonly type: string | undefined;
  /** Random per inbox, so that nobody can make a cursor for an inbox that they cannot read. */
  readonly epoch: string;
}

/**
 * Encodes the position where the next page starts. The position is followed by a checksum of the position, the inbox, its
 * epoch and the filters. The checksum only finds mistakes. It does not control access, because every query names its owner.
 */
export function encodeCursor(seq: number, scope: CursorScope): string {
  return `${seq.toString(36)}-${check(seq, scope)}`;
}

/** Returns the position in `cursor`, or null if the cursor was edited or belongs to another list. */
export function decodeCursor(cursor: string, scope: CursorScope): number | null {
  const [position = "", given = ""] = cursor.split("-", 2);
  const seq = /^[0-9a-z]{1,11}$/.test(position) ? Number.parseInt(position, 36) : Number.NaN;
  if (!Number.isSafeInteger(seq) || encodeCursor(seq, scope) !== `${position}-${given}` || cursor !== `${position}-${given}`) {
    return null;
  }
  return seq;
}

function check(seq: number, { owner, status, type, epoch }: CursorScope): string {
  return fingerprint([seq, owner.tenant, owner.userId, epoch, status, type ?? null]);
}
