import { compareBytewise } from "../foundation/compare-bytewise.ts";
import { IssueList } from "../foundation/issue-list.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import { nextTurn } from "../work/timing.ts";

/** The most recipients that one notification may have. */
export const MAX_RECIPIENTS = 1_000_000;

/**
 * The most recipients that one transaction of Belfry writes. Longer lists are fanned out in chunks. The documentation of
 * `create`, of `Created`, README and the guides name this figure.
 */
export const MAX_AT_ONCE = 1_000;

/** The number of recipients of a long list that are looked at before others get their turn of the event loop. */
const PIECE = 5_000;
/** To merge or to copy costs less than to sort. */
const MERGED_PIECE = 20_000;
/** How many users of a range its bounds are chosen by, so that few ranges are much longer than a piece. */
const SAMPLED = 8;

/** Recipients as storages take them, or the issues of a list. */
export type ParsedRecipients = { readonly recipients: readonly string[] } | { readonly issues: IssueList };

/**
 * Makes the list of recipients for storages: checked, each user once, sorted bytewise in UTF-8. A long list is copied at
 * once, and the copy is worked on in pieces, so that others have their turns in between.
 */
export function parseRecipients(to: unknown): ParsedRecipients | Promise<ParsedRecipients> {
  const issues = new IssueList();
  if (!Array.isArray(to)) {
    issues.add(textIssue(to, ["to"], NAME_RULE));
    return issues.isEmpty ? { recipients: [to as string] } : { issues };
  }
  if (to.length === 0 || to.length > MAX_RECIPIENTS) {
    issues.add(
      to.length === 0
        ? { path: ["to"], type: "too_short", message: "must name at least one user" }
        : { path: ["to"], type: "too_long", message: `must name at most ${MAX_RECIPIENTS} users, names ${to.length}; split the list` },
    );
    return { issues };
  }
  if (to.length > PIECE) {
    return parseInPieces(to.slice(), issues);
  }
  checkUsers(to, issues);
  return issues.isEmpty ? { recipients: sortedOnce(to as readonly string[], orderOf(to as readonly string[])) } : { issues };
}

/** @param list a copy, which is sorted in place or in its stead */
async function parseInPieces(list: unknown[], issues: IssueList): Promise<ParsedRecipients> {
  const ranges = new Ranges(list);
  let order: Order;
  for (let start = 0; start < list.length; start += PIECE) {
    const piece = list.slice(start, start + PIECE);
    checkUsers(piece, issues, start);
    if (issues.isEmpty) {
      order ??= orderOf(piece as readonly string[]);
      // A text is read once for the check and this: of a long list, most of the time goes into finding the texts in memory.
      ranges.add(order === undefined ? (piece as readonly string[]) : []);
    }
    await nextTurn();
  }
  if (!issues.isEmpty) {
    return { issues };
  }
  return { recipients: await (order === undefined ? sortedByRanges(list as string[], ranges) : sortedInPieces(list as string[], order)) };
}

/** A long list's users by ranges of their order, each about as long as a piece: to sort them one by one sorts the list. */
class Ranges {
  readonly #bounds: readonly string[];
  readonly lists: readonly string[][];

  constructor(list: readonly unknown[]) {
    const step = Math.max(1, Math.floor(PIECE / SAMPLED));
    const sample: string[] = [];
    for (let at = step; at < list.length; at += step) {
      const userId = list[at];
      if (typeof userId === "string") {
        sample.push(userId);
      }
    }
    this.#bounds = sample.sort().filter((_, at) => at % SAMPLED === SAMPLED - 1);
    this.lists = Array.from({ length: this.#bounds.length + 1 }, () => []);
  }

  add(users: readonly string[]): void {
    const bounds = this.#bounds;
    for (const userId of users) {
      let [low, high] = [0, bounds.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (userId < (bounds[middle] as string)) {
          high = middle;
        } else {
          low = middle + 1;
        }
      }
      this.lists[low]?.push(userId);
    }
  }
}

/** Sorts into `list`, in JavaScript's own order. Each user is in the result once. */
async function sortedByRanges(list: string[], { lists }: Ranges): Promise<readonly string[]> {
  let kept = 0;
  for (const users of lists) {
    // One that most users are in, since their names were chosen so or are the same, is sorted in pieces itself.
    const sorted = users.length > MERGED_PIECE ? await sortedInPieces(users, undefined) : users.sort();
    for (let index = 0; index < sorted.length; index += 1) {
      const userId = sorted[index] as string;
      if (kept === 0 || userId !== list[kept - 1]) {
        list[kept] = userId;
        kept += 1;
      }
      if (index % MERGED_PIECE === 0) {
        await nextTurn();
      }
    }
  }
  list.length = kept;
  return list;
}

/** A path is only made for an issue. */
const NO_PATH: readonly never[] = [];

function checkUsers(users: readonly unknown[], issues: IssueList, start = 0): void {
  for (let index = 0; index < users.length; index += 1) {
    const issue = textIssue(users[index], NO_PATH, NAME_RULE);
    if (issue !== null) {
      issues.add({ ...issue, path: ["to", start + index] });
    }
  }
}

/** A comparison, or undefined for JavaScript's own order, which is three times as fast. */
type Order = typeof compareBytewise | undefined;

/** JavaScript's own order of texts is the bytewise one unless there are surrogates. */
function orderOf(users: readonly string[]): Order {
  // One text for all: to look at each costs ten times as much.
  return /[\ud800-\udfff]/.test(users.join("")) ? compareBytewise : undefined;
}

/** A sorted copy without repeats. */
function sortedOnce(users: readonly string[], order: Order): readonly string[] {
  const sorted = users.toSorted(order);
  return sorted.every((userId, index) => userId !== sorted[index + 1]) ? sorted : sorted.filter((userId, at) => userId !== sorted[at + 1]);
}

/** Sorts by merging, between two lists, so that little memory is left behind. Each user is in the result once. */
async function sortedInPieces(list: string[], order: Order): Promise<readonly string[]> {
  const { length } = list;
  for (let start = 0; start < length; start += PIECE) {
    const piece = list.slice(start, start + PIECE).sort(order);
    for (let index = 0; index < piece.length; index += 1) {
      list[start + index] = piece[index] as string;
    }
    await nextTurn();
  }
  let [from, to] = [list, new Array<string>(length)];
  for (let width = PIECE; width < length; width *= 2) {
    for (let start = 0; start < length; start += 2 * width) {
      await merge({ from, to, order }, start, Math.min(width, length - start));
    }
    [from, to] = [to, from];
  }
  return withoutRepeats(from);
}

interface Merging {
  readonly from: readonly string[];
  readonly to: string[];
  readonly order: Order;
}

/** Merges two sorted runs that follow each other, the first one of `width`, the second one as long at most. */
async function merge({ from, to, order }: Merging, start: number, width: number): Promise<void> {
  let left = start;
  let right = start + width;
  const middle = right;
  const end = Math.min(middle + width, from.length);
  for (let at = start; at < end; at += 1) {
    const [a, b] = [from[left] as string, from[right] as string];
    const isLeft = right === end || (left < middle && (order === undefined ? a <= b : order(a, b) <= 0));
    to[at] = isLeft ? a : b;
    left += isLeft ? 1 : 0;
    right += isLeft ? 0 : 1;
    if (at % MERGED_PIECE === 0) {
      await nextTurn();
    }
  }
}

/** Leaves out, in place, what is there before. */
async function withoutRepeats(sorted: string[]): Promise<readonly string[]> {
  let kept = 0;
  for (let index = 0; index < sorted.length; index += 1) {
    const userId = sorted[index] as string;
    if (index === 0 || userId !== sorted[kept - 1]) {
      sorted[kept] = userId;
      kept += 1;
    }
    if (index % MERGED_PIECE === 0) {
      await nextTurn();
    }
  }
  sorted.length = kept;
  return sorted;
}

/** The users of a list who are not in another. A long list is looked at in pieces. */
export function leaveOut(users: readonly string[], left: ReadonlySet<string>): MaybePromise<readonly string[]> {
  const pick = (piece: readonly string[]) => piece.filter((userId) => !left.has(userId));
  return users.length > PIECE ? pickInPieces(users, pick) : pick(users);
}

/** The users of a list whom `pick` picks of each piece of it. Others have their turns between two pieces. */
export async function pickInPieces(
  users: readonly string[],
  pick: (piece: readonly string[]) => MaybePromise<readonly string[]>,
): Promise<readonly string[]> {
  const picked: string[] = [];
  for (let start = 0; start < users.length; start += PIECE) {
    if (start > 0) {
      await nextTurn();
    }
    picked.push(...(await pick(users.slice(start, start + PIECE))));
  }
  return picked;
}

/** The users of `except`, checked. @throws BelfryError `VALIDATION_ERROR` */
export function parseExcept(except: unknown): ReadonlySet<string> {
  const list: readonly unknown[] = Array.isArray(except) ? except : except === undefined ? [] : [except];
  const issues = new IssueList();
  for (const [index, userId] of list.entries()) {
    issues.add(textIssue(userId, Array.isArray(except) ? ["except", index] : ["except"], NAME_RULE));
  }
  issues.done();
  return new Set(list as readonly string[]);
}
