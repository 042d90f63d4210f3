import { CATCH_UP_PAGE, type PageBounds } from "../foundation/bounds.ts";
import type { Owner } from "../foundation/context.ts";
import {
  EMPTY_EPOCH,
  type InboxCounts,
  type InboxEvent,
  type InboxItem,
  type InboxPosition,
  type InboxStorage,
  type ItemChange,
  isOutside,
  type LoggedChange,
  type LoggedChanges,
  type LoggedKind,
  lengthOf,
  MATCHED_AT_ONCE,
  type MatchingKind,
  seqsIn,
  type WholeChange,
} from "../inbox/index.ts";

/** The most items of a replay. A subscriber that missed more must list the inbox again. */
const MAX_REPLAY = 10_000;

/** The most changes of a page. Each may name 1,000 ranges of items, but none of their texts. */
const CHANGES_AT_ONCE = 50;

/** The most items of the changes of a page. Each is read by itself: to list the inbox again costs less than more of them. */
const ITEMS_OF_CHANGES = 10_000;

/** A part of what came after a position, in the order in which it is to be told. */
export interface Missed {
  readonly told: readonly (InboxItem | LoggedChange)[];
  /** The position after all of it. */
  readonly position: InboxPosition;
  /** The counts when it was read: those at that position, if nothing is left. */
  readonly counts: InboxCounts;
  /** Whether nothing was left when it was read. */
  readonly isAll: boolean;
}

/** The reason why nothing can be told: the numbering began anew, or changes are no longer kept, or have too many items. */
export interface Lost {
  readonly lost: "epoch" | "changes";
  readonly counts: InboxCounts;
}

/** How to read what was missed. */
export interface Reading {
  /** Leaves out a change at the end of which more steps follow at this time. @default tells what there is of it */
  readonly closedAt?: number;
  /** How many items to read. @default a page */
  readonly page?: PageBounds;
}

/** One item: of the next one alone, a storage can read less than of a page. */
export const NEXT_ITEM: PageBounds = { ...CATCH_UP_PAGE, limit: 1 };

/** The inbox to read, and where. */
export interface Reader {
  readonly inbox: InboxStorage;
  readonly owner: Owner;
}

/** Whether what came after a position may be replayed: the inbox has been there, in the same epoch, and at most {@link MAX_REPLAY} items ago. */
export function mayReplay(since: InboxPosition, { lastSeq, epoch, rev }: InboxCounts): boolean {
  const isKnown = since.epoch === epoch || (since.epoch === EMPTY_EPOCH && since.seq === 0);
  return isKnown && isUpTo(since.seq, lastSeq) && isUpTo(since.rev ?? 0, rev) && lastSeq - since.seq <= MAX_REPLAY;
}

/** Whether a number is one of those from 0 to `last`. */
function isUpTo(number: number, last: number): boolean {
  return Number.isSafeInteger(number) && number >= 0 && number <= last;
}

/** Reads a page of the new items after a position and, if it has a `rev`, of the changes after that. */
export async function readMissed(
  reader: Reader,
  since: InboxPosition,
  { closedAt, page = CATCH_UP_PAGE }: Reading = {},
): Promise<Missed | Lost> {
  if (since.rev === undefined) {
    return await readItems(reader, since, { upTo: Number.POSITIVE_INFINITY, page });
  }
  const found = await reader.inbox.changesAfter(reader.owner, since.rev, CHANGES_AT_ONCE);
  const { changes, counts, lastRev } = withoutOpen(found, since.rev, closedAt);
  if (isAnotherEpoch(since, counts)) {
    return { lost: "epoch", counts };
  }
  const cutAfter = found.changes.length === CHANGES_AT_ONCE ? changes.at(-1) : undefined;
  const items = changes.reduce((sum, change) => sum + (wholeOf(change) !== null ? 0 : lengthOf(change.ranges ?? [])), 0);
  if (items > ITEMS_OF_CHANGES || !isWhole(changes, since.rev, cutAfter === undefined ? lastRev : cutAfter.rev)) {
    return { lost: "changes", counts };
  }
  // Items that came after the last of these changes wait for the changes before them.
  const upTo = cutAfter?.lastSeq ?? counts.lastSeq;
  const later: Missed | Lost =
    upTo > since.seq ? await readItems(reader, since, { upTo, page }) : { told: [], position: since, counts, isAll: true };
  if ("lost" in later) {
    return later;
  }
  const { seq } = later.position;
  const ready = changes.filter(({ lastSeq }) => lastSeq <= seq);
  const position = { seq, epoch: counts.epoch, rev: ready.at(-1)?.rev ?? since.rev };
  const told = inOrder(later.told as readonly InboxItem[], ready);
  return { told, position, counts, isAll: seq >= counts.lastSeq && position.rev >= lastRev };
}

/** The changes that are to be told, and the last number that they have to reach. */
function withoutOpen(
  { changes, counts }: LoggedChanges,
  since: number,
  closedAt: number | undefined,
): LoggedChanges & { readonly lastRev: number } {
  const last = changes.at(-1);
  const isOpen = closedAt !== undefined && last !== undefined && (last.openUntil?.getTime() ?? 0) > closedAt;
  return isOpen
    ? { changes: changes.slice(0, -1), counts, lastRev: Math.max(since, last.firstRev - 1) }
    : { changes, counts, lastRev: counts.rev };
}

/** Reads a page of new items up to a number. */
async function readItems(
  { inbox, owner }: Reader,
  since: InboxPosition,
  { upTo, page }: { readonly upTo: number; readonly page: PageBounds },
): Promise<Missed | Lost> {
  const { items, counts } = await inbox.listAfter(owner, since.seq, page);
  if (isAnotherEpoch(since, counts)) {
    return { lost: "epoch", counts };
  }
  const seq = Math.min(items.at(-1)?.seq ?? counts.lastSeq, upTo);
  const told = items.filter((item) => item.seq <= upTo);
  return { told, position: { seq, epoch: counts.epoch }, counts, isAll: seq >= counts.lastSeq };
}

function isAnotherEpoch({ epoch }: InboxPosition, counts: InboxCounts): boolean {
  return epoch !== EMPTY_EPOCH && counts.epoch !== epoch;
}

/** Whether these are all changes after one up to another, and each says what it changed. */
function isWhole(changes: readonly LoggedChange[], after: number, last: number): boolean {
  const isNamed = ({ ranges, upToSeq, group }: LoggedChange) => ranges !== null || (upToSeq !== null && group === null);
  let told = after;
  for (const change of changes) {
    // One with several numbers is told again to who knows only the first of them.
    if (change.firstRev > told + 1 || !isNamed(change)) {
      return false;
    }
    told = change.rev;
  }
  return told === last;
}

/** Items by their numbers, and each change after the items that were there when it was made. */
function inOrder(items: readonly InboxItem[], changes: readonly LoggedChange[]): readonly (InboxItem | LoggedChange)[] {
  const told: (InboxItem | LoggedChange)[] = [];
  let next = 0;
  for (const change of changes) {
    for (; (items[next]?.seq ?? Number.POSITIVE_INFINITY) <= change.lastSeq; next += 1) {
      told.push(items[next] as InboxItem);
    }
    told.push(change);
  }
  return [...told, ...items.slice(next)];
}

/** The event of a new item. */
export function createdEvent(item: InboxItem, epoch: string): InboxEvent {
  return { change: "created", item, count: 1, seq: item.seq, epoch };
}

/** The changes of many items that are told as one, without reading each of them. */
const MANY: Readonly<Partial<Record<LoggedKind, MatchingKind>>> = {
  read: "read_matching",
  seen: "seen_matching",
  archived: "archived_matching",
};

/** The one event of a change of a whole inbox, or of very many items; null if each of its items has one. */
function wholeOf({ kind, ranges }: LoggedChange): WholeChange | null {
  if (kind === "read_all" || kind === "seen_all" || kind === "deleted_read") {
    return kind;
  }
  return lengthOf(ranges ?? []) > MATCHED_AT_ONCE ? (MANY[kind] ?? null) : null;
}

/** The numbers of the items of a change, as its event has them: none if there are very many. */
export function seqsOf({ ranges }: Pick<LoggedChange, "ranges">): Pick<InboxEvent, "seqs"> {
  return ranges === null || lengthOf(ranges) > ITEMS_OF_CHANGES ? {} : { seqs: seqsIn(ranges) };
}

/** What is left to tell of a logged change. */
export interface LeftOfChange {
  readonly change: LoggedChange;
  readonly epoch: string;
  /** The numbers of the items whose events were told. @default none */
  readonly without?: ReadonlySet<number>;
}

/**
 * The events of a logged change: one for each of its items, which is read when its event is asked for, or one for the whole
 * inbox. An item that is gone for good is null.
 */
export async function* eventsOf(
  { inbox, owner }: Reader,
  { change, epoch, without }: LeftOfChange,
): AsyncGenerator<InboxEvent, void, undefined> {
  const { kind, rev, at, lastSeq } = change;
  const whole = wholeOf(change);
  if (whole !== null) {
    // A mark of everything has no numbers, and is told without its count.
    const [count, seq] = [change.count ?? 0, change.upToSeq ?? lastSeq];
    yield { change: whole, item: null, count, seq, epoch, rev, at, ...seqsOf(change) };
    return;
  }
  const name = kind === "expired" ? "deleted" : (kind as ItemChange);
  const seqs = seqsIn(change.ranges ?? []).filter((seq) => !without?.has(seq));
  for (const [index, seq] of seqs.entries()) {
    const item = await inbox.get(owner, { seq }, { includeDeleted: true });
    const count = item === null || isOutside(name, item) ? 0 : 1;
    yield { change: name, item, count, seq, epoch, rev, left: seqs.length - index - 1 };
  }
}
