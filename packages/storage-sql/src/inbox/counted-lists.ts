import type { InboxStatus, LoggedKind, Owner } from "@belfry/core";
import {
  type InboxQuery,
  type ItemFilter,
  type LoggedChange,
  MAX_LOGGED_CHANGES,
  parseRanges,
  rangesOf,
  type SeqRange,
} from "@belfry/core/storage";
import type { Tables } from "../database/sql.ts";
import { COUNTED_BYTES, COUNTED_FROM, MAX_CHANGED_BLOCKS, WALKED_PART } from "./block-sizes.ts";
import { blockOf, type CountedAt, type CountedList } from "./counted-list.ts";

/** The filters of a list that is counted by blocks. */
export type CountedFilters = Pick<InboxQuery, "status" | "place" | "type" | "filter">;

/** Which of a large inbox's lists are counted by blocks: those by other than the counters, or those with a deep offset. */
export type CountedReason = "filters" | "offset";

/**
 * Why a list is counted by blocks if its inbox is large; null if it never is. One by room is not: rooms are content of notifications, of
 * whose changes no log says which items they are of.
 */
export function countedFor({ type, roomId, place = "active", filter, offset = 0 }: Omit<InboxQuery, "limit">): CountedReason | null {
  if (roomId !== undefined) {
    return null;
  }
  if (filter !== undefined) {
    return place === "active" && isOfPriorities(filter) ? "filters" : null;
  }
  if (type !== undefined || place !== "active") {
    return "filters";
  }
  return offset >= COUNTED_FROM ? "offset" : null;
}

/** Whether a filter is by priority alone. No item ever gets another one. */
function isOfPriorities({ priorities, ...others }: ItemFilter): boolean {
  return priorities !== undefined && Object.values(others).every((condition) => condition === undefined);
}

/** Whether a list is counted by blocks in an inbox with this last number. For an offset alone, it skips a good part of them. */
export function isByBlocks(query: Omit<InboxQuery, "limit">, lastSeq: number): boolean {
  const reason = countedFor(query);
  return reason !== null && lastSeq >= COUNTED_FROM && (reason === "filters" || lastSeq <= (query.offset ?? 0) * WALKED_PART);
}

/** What a list and its size take in memory beside its counts. */
const OVERHEAD_BYTES = 512;
/** No list may take more than this part of the memory. */
const LARGEST_SHARE = 8;

/**
 * Keeps how many items of lists of large inboxes match, block by block, so that they need not all be counted for each page. It is exact
 * without being told of any change: what is kept says the moment of which it is, and a list that is read at a later one
 * counts those blocks again that have changed, by the inbox's log. The log has every change of an existing item under a number of
 * its own, and new items have later numbers. Where a number is missing, or a change does not say which items it changed, all are counted.
 *
 * It takes so many bytes at the most: the lists that were asked for longest ago go first.
 */
export class CountedLists {
  /** In the order in which they were asked for. */
  readonly #lists = new Map<string, CountedList>();
  /** Those that somebody counts at this moment. */
  readonly #counting = new Map<string, Promise<void>>();
  #bytes = 0;

  /** What is known of a list, of whatever moment, and counted however far. */
  find(owner: Owner, filters: CountedFilters): CountedList | undefined {
    const key = keyOf(owner, filters);
    const list = this.#lists.get(key);
    if (list !== undefined) {
      // The newest one now.
      this.#lists.delete(key);
      this.#lists.set(key, list);
    }
    return list;
  }

  /** Keeps a list, unless a later state of it is known already, or more of it. */
  keep(owner: Owner, filters: CountedFilters, list: CountedList): void {
    const key = keyOf(owner, filters);
    const known = this.#lists.get(key);
    if (known !== undefined && isLater(known.at, list.at) && known.uncounted <= list.uncounted) {
      return;
    }
    this.#drop(key, known);
    const bytes = bytesOf(key, list);
    if (bytes * LARGEST_SHARE > COUNTED_BYTES) {
      return;
    }
    this.#lists.set(key, list);
    this.#bytes += bytes;
    for (const [oldest, one] of this.#lists) {
      if (this.#bytes <= COUNTED_BYTES) {
        return;
      }
      this.#drop(oldest, one);
    }
  }

  /** Runs `count`, which counts a list and keeps it. Whoever needs the same one meanwhile had better wait: see {@link whenCounted}. */
  async counting<Result>(owner: Owner, filters: CountedFilters, count: () => Promise<Result>): Promise<Result> {
    const key = keyOf(owner, filters);
    const result = count();
    if (!this.#counting.has(key)) {
      const end = () => void this.#counting.delete(key);
      this.#counting.set(key, result.then(end, end));
    }
    return await result;
  }

  /** Resolves once whoever counts a list at this moment has done so, or failed; null if nobody counts it. */
  whenCounted(owner: Owner, filters: CountedFilters): Promise<void> | null {
    return this.#counting.get(keyOf(owner, filters)) ?? null;
  }

  #drop(key: string, list: CountedList | undefined): void {
    if (list !== undefined) {
      this.#lists.delete(key);
      this.#bytes -= bytesOf(key, list);
    }
  }
}

function bytesOf(key: string, { bytes }: CountedList): number {
  return 2 * key.length + bytes + OVERHEAD_BYTES;
}

function keyOf({ tenant, userId }: Owner, { status, place = "active", type, filter }: CountedFilters): string {
  return JSON.stringify([tenant, userId, status, place, type ?? null, ...(filter?.priorities?.toSorted() ?? [])]);
}

/** Whether one moment is the same as another of the same numbering, or a later one. */
function isLater(one: CountedAt, other: CountedAt): boolean {
  return one.epoch === other.epoch && one.rev >= other.rev && one.lastSeq >= other.lastSeq;
}

/** Whether two moments are the same. */
export function isSameMoment(one: CountedAt, other: CountedAt): boolean {
  return isLater(one, other) && isLater(other, one);
}

/** The columns of a line of the log: its numbers, its kind and its items, in lines of an older version as a list in JSON. */
export type ChangedItems = readonly [rev: number, firstRev: number | null, kind: LoggedKind, ranges: string | null, seqs: string | null];

/** The columns of a {@link ChangedItems} of the log `l`, without the items of changes that no list of the status depends on. */
export function changedColumns(status: InboxStatus): string {
  const others = [...ASIDE, ...(status === "all" ? OF_READING : [])].map((kind) => `'${kind}'`);
  const ofMatter = (column: string) => `CASE WHEN l.kind NOT IN (${others.join(", ")}) THEN l.${column} END`;
  return `l.rev, l.first_rev, l.kind, ${ofMatter("seq_ranges")}, ${ofMatter("seqs")}`;
}

/** A statement that reads the log of the inbox of tenant $1 and user $2 after the change $3. */
export function changesText({ inboxChanges }: Pick<Tables, "inboxChanges">, status: InboxStatus): string {
  return `SELECT ${changedColumns(status)} FROM ${inboxChanges} l
    WHERE l.tenant = $1 AND l.user_id = $2 AND l.rev > $3 ORDER BY l.rev LIMIT ${MAX_LOGGED_CHANGES}`;
}

/** Whether the log can tell what has changed in a list since it was counted. */
export function canFollow(list: CountedList | undefined, now: CountedAt): list is CountedList {
  return list !== undefined && isLater(now, list.at);
}

/**
 * The blocks of a list that have to be counted again; null if all have to be.
 *
 * @param lines the changes since the list was counted, the oldest first
 */
export function changedBlocks(
  { at }: CountedList,
  now: CountedAt,
  { lines, filters }: { readonly lines: readonly ChangedItems[]; readonly filters: CountedFilters },
): readonly number[] | null {
  const ranges: SeqRange[] = now.lastSeq > at.lastSeq ? [[at.lastSeq + 1, now.lastSeq]] : [];
  let { rev } = at;
  for (const [lineRev, firstRev, kind, text, seqs] of lines) {
    const changed = isOfFilters(kind, filters) ? rangesIn(text, seqs) : [];
    if ((firstRev ?? lineRev) > rev + 1 || changed === null) {
      return null;
    }
    rev = lineRev;
    ranges.push(...changed);
  }
  return rev === now.rev ? blocksOf(ranges) : null;
}

function rangesIn(text: string | null, seqs: string | null): LoggedChange["ranges"] {
  if (text !== null) {
    return parseRanges(text);
  }
  return seqs === null ? null : rangesOf(JSON.parse(seqs) as readonly number[]);
}

/** The changes that no list here depends on. */
const ASIDE: readonly LoggedKind[] = ["seen", "unseen", "seen_all", "pinned", "unpinned"];
/** The changes that a list of read items, or of unread ones, depends on alone. */
const OF_READING: readonly LoggedKind[] = ["read", "unread", "read_all"];

function isOfFilters(kind: LoggedKind, { status }: CountedFilters): boolean {
  return !ASIDE.includes(kind) && (status !== "all" || !OF_READING.includes(kind));
}

/** The blocks in which ranges are; null for too many. */
function blocksOf(ranges: readonly SeqRange[]): readonly number[] | null {
  const blocks = new Set<number>();
  for (const [from, to] of ranges) {
    for (let block = blockOf(from); block <= blockOf(to); block += 1) {
      blocks.add(block);
      if (blocks.size > MAX_CHANGED_BLOCKS) {
        return null;
      }
    }
  }
  return [...blocks];
}
