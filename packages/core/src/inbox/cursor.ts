import { fingerprint } from "../foundation/fingerprint.ts";
import type { Owner } from "../foundation/owner.ts";
import type { InboxStatus } from "./inbox-item.ts";

/** What a cursor belongs to: it is refused anywhere else. */
export interface CursorScope {
  readonly owner: Owner;
  readonly status: InboxStatus;
  readonly type: string | undefined;
  /** Random per inbox, so nobody can make a cursor for an inbox they cannot read. */
  readonly epoch: string;
}

/**
 * Writes down where the next page starts. The position is followed by a check of the position, the inbox, its epoch
 * and the filters. The check finds mistakes; access never rests on it, because every query names its owner.
 */
export function encodeCursor(seq: number, scope: CursorScope): string {
  return `${seq.toString(36)}-${check(seq, scope)}`;
}

/** The position in `cursor`, or null if it was edited or belongs to another list. */
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
