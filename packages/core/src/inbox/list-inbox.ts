import type { Owner } from "../foundation/context.ts";
import { fingerprint } from "../foundation/digest.ts";
import { BelfryError } from "../foundation/errors.ts";
import { type ChecksOf, pageChecks, requireInput, requireNone, validationError } from "../foundation/issue-list.ts";
import { NAME_RULE, oneOf, stringIssue, text } from "../foundation/parse-text.ts";
import type { InboxContext } from "./context.ts";
import type { InboxCounts, InboxItem, InboxStatus } from "./inbox-item.ts";
import type { InboxPage, InboxQuery } from "./inbox-storage.ts";

/** The list that a cursor belongs to. Any other list refuses the cursor. */
export interface CursorScope {
  readonly owner: Owner;
  readonly status: InboxStatus;
  readonly type: string | undefined;
  readonly roomId?: string | undefined;
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
function positionIn(cursor: string): number | null {
  const [, position = ""] = /^([0-9a-z]{1,11})-/.exec(cursor) ?? [];
  const seq = Number.parseInt(position, 36);
  return Number.isSafeInteger(seq) ? seq : null;
}

function check(seq: number, { owner, status, type, roomId, epoch }: CursorScope): string {
  const room = roomId === undefined ? [] : [roomId];
  return fingerprint([seq, owner.tenant, owner.userId, epoch, status, type ?? null, ...room]);
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;
const STATUSES: readonly InboxStatus[] = ["all", "unread", "read"];
const LIST_INPUT: ChecksOf<ListInput> = {
  ...pageChecks(MAX_LIMIT),
  status: oneOf(STATUSES),
  type: text(NAME_RULE),
  roomId: text(NAME_RULE),
  cursor: stringIssue,
};

/** Which part of an inbox to list. */
export interface ListInput {
  /** @default "all" */
  readonly status?: InboxStatus;
  /** Only items of this type. */
  readonly type?: string;
  /** Only items of this room: those whose data has it as `room_id`, as a send with a `roomId` has. */
  readonly roomId?: string;
  /** 1 to 1,000 items. @default 50 */
  readonly limit?: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
  /** Skips this many of the newest matching items. A cursor is more stable while new items arrive. @default 0 */
  readonly offset?: number;
}

/** One page of an inbox, newest first, with the counts of the same moment. */
export interface InboxList<Item = InboxItem> {
  readonly items: readonly Item[];
  /** Leads to the next page; null at the end. It works for this inbox and these filters only. */
  readonly nextCursor: string | null;
  /** The number of items that match the filters. */
  readonly matching: number;
  readonly counts: InboxCounts;
}

/** The storage's operation that reads a page. */
type ReadPage<Item> = (owner: Owner, query: InboxQuery) => Promise<InboxPage<Item>>;

/**
 * Lists one page of an inbox. Throws `VALIDATION_ERROR` for a value out of range and `INVALID_CURSOR` for a cursor of
 * another list.
 */
export async function listInbox<Item extends Pick<InboxItem, "seq">>(
  context: InboxContext,
  { owner, input = {}, read }: { readonly owner: Owner; readonly input: ListInput | undefined; readonly read: ReadPage<Item> },
): Promise<InboxList<Item>> {
  requireInput("list", input, LIST_INPUT);
  const { status = "all", type, roomId, limit = DEFAULT_LIMIT, cursor, offset = 0 } = input;
  if (cursor !== undefined && offset !== 0) {
    throw validationError([{ path: ["offset"], type: "conflict", message: "cannot be given together with a cursor" }]);
  }
  const before = cursor === undefined ? undefined : positionIn(cursor);
  if (before === null) {
    throw foreignCursor();
  }
  using _call = await context.ready();
  const place = before === undefined ? { offset } : { before };
  const filter = { status, ...(type === undefined ? {} : { type }), ...(roomId === undefined ? {} : { roomId }) };
  // Reads one item more than requested, to see whether there is a next page.
  const { items, matching, counts } = await read(owner, { ...filter, ...place, limit: limit + 1 });
  const scope = { owner, status, type, roomId, epoch: counts.epoch };
  // The page brings the epoch that the cursor is checked against: a query for the epoch alone would cost a third of the page.
  if (cursor !== undefined && decodeCursor(cursor, scope) === null) {
    throw foreignCursor();
  }
  if (items.length <= limit) {
    return { items, nextCursor: null, matching, counts };
  }
  const shown = items.slice(0, limit);
  return { items: shown, nextCursor: encodeCursor((shown.at(-1) as Item).seq, scope), matching, counts };
}

function foreignCursor(): BelfryError {
  return new BelfryError("INVALID_CURSOR", "The cursor is not one that this list gave. Start again without a cursor.");
}

/** Returns up to `limit` items of all the tenant's inboxes, newest notification first. */
export async function listTenant(context: InboxContext, tenant: string, limit: number): Promise<readonly InboxItem[]> {
  requireNone([LIST_INPUT.limit(limit, "limit")]);
  using _call = await context.ready();
  return await context.inbox.listTenant(tenant, limit);
}
