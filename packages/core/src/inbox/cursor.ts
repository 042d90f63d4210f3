import type { Owner } from "../foundation/context.ts";
import { fingerprint } from "../foundation/digest.ts";
import { BelfryError } from "../foundation/errors.ts";
import type { JsonValue } from "../foundation/json.ts";
import type { InboxStatus, ItemPlace } from "./inbox-item.ts";
import type { InboxFilter } from "./item-filter.ts";

/** The list that a cursor belongs to. Any other list refuses the cursor. */
export interface CursorScope {
  readonly owner: Owner;
  readonly status: InboxStatus;
  readonly type: string | undefined;
  readonly roomId?: string | undefined;
  readonly place?: ItemPlace | undefined;
  /** The conditions of the list that are not named above; undefined for none. */
  readonly filter?: InboxFilter | undefined;
  readonly group?: string | undefined;
  /** Whether it lists groups. @default false */
  readonly isOfGroups?: boolean;
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
  const seq = positionIn(cursor);
  return seq !== null && encodeCursor(seq, scope) === cursor ? seq : null;
}

/** The position that a cursor claims, without regard to its checksum; null if it has none. */
export function positionIn(cursor: string): number | null {
  const [, position = ""] = /^([0-9a-z]{1,11})-/.exec(cursor) ?? [];
  const seq = Number.parseInt(position, 36);
  return Number.isSafeInteger(seq) ? seq : null;
}

function check(
  seq: number,
  { owner, status, type, roomId, place = "active", filter, epoch, group, isOfGroups = false }: CursorScope,
): string {
  const values: JsonValue[] = [seq, owner.tenant, owner.userId, epoch, status, type ?? null];
  // Absent filters add nothing, so that cursors of earlier versions stay valid.
  if (roomId !== undefined) {
    values.push(roomId);
  }
  if (place !== "active") {
    values.push({ place });
  }
  if (filter !== undefined) {
    values.push({ filter: JSON.stringify(filter) });
  }
  if (group !== undefined) {
    values.push({ group });
  }
  if (isOfGroups) {
    values.push({ isOfGroups });
  }
  return fingerprint(values);
}

/** The error of a cursor of another list. */
export function foreignCursor(): BelfryError {
  return new BelfryError("INVALID_CURSOR", "The cursor is not one that this list gave. Start again without a cursor.");
}
