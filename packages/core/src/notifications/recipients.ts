import { IssueList } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import { nextTurn } from "../work/timing.ts";

/** The most recipients that one notification may have. */
export const MAX_RECIPIENTS = 1_000_000;

/** The number of recipients of a long list that are looked at before others get their turn of the event loop. */
const PIECE = 5_000;
/** To merge costs less than to sort. */
const MERGED_PIECE = 20_000;

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

async function parseInPieces(list: readonly unknown[], issues: IssueList): Promise<ParsedRecipients> {
  const pieces: (readonly string[])[] = [];
  let order: Order;
  for (let start = 0; start < list.length; start += PIECE) {
    const piece = list.slice(start, start + PIECE);
    checkUsers(piece, issues, start);
    if (issues.isEmpty) {
      order ??= orderOf(piece as readonly string[]);
      pieces.push(piece as readonly string[]);
    }
    await nextTurn();
  }
  if (!issues.isEmpty) {
    return { issues };
  }
  let sorted: (readonly string[])[] = [];
  for (const piece of pieces) {
    sorted.push(sortedOnce(piece, order));
    await nextTurn();
  }
  while (sorted.length > 1) {
    const merged: (readonly string[])[] = [];
    for (let index = 0; index < sorted.length; index += 2) {
      merged.push(await mergedOnce(sorted[index] ?? [], sorted[index + 1] ?? [], order));
    }
    sorted = merged;
  }
  return { recipients: sorted[0] ?? [] };
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
  return users.some((userId) => /[\ud800-\udfff]/.test(userId)) ? compareBytewise : undefined;
}

/** A sorted copy without repeats. */
function sortedOnce(users: readonly string[], order: Order): readonly string[] {
  const sorted = users.toSorted(order);
  return sorted.every((userId, index) => userId !== sorted[index + 1]) ? sorted : sorted.filter((userId, at) => userId !== sorted[at + 1]);
}

/** Merges two sorted lists into one without repeats, in pieces. */
async function mergedOnce(left: readonly string[], right: readonly string[], order: Order): Promise<readonly string[]> {
  const merged: string[] = [];
  let [at, from] = [0, 0];
  while (at < left.length && from < right.length) {
    [at, from] = mergePiece(merged, { left, right, at, from, order });
    await nextTurn();
  }
  return merged.concat(left.slice(at), right.slice(from));
}

interface Merging {
  readonly left: readonly string[];
  readonly right: readonly string[];
  /** How much of each is merged. */
  readonly at: number;
  readonly from: number;
  readonly order: Order;
}

function mergePiece(merged: string[], { left, right, at: leftAt, from: rightAt, order }: Merging): readonly [at: number, from: number] {
  let [at, from] = [leftAt, rightAt];
  const end = merged.length + MERGED_PIECE;
  while (merged.length < end && at < left.length && from < right.length) {
    const [a, b] = [left[at] as string, right[from] as string];
    const isBefore = order === undefined ? a < b : order(a, b) < 0;
    merged.push(isBefore ? a : b);
    at += isBefore || a === b ? 1 : 0;
    from += isBefore ? 0 : 1;
  }
  return [at, from];
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

/** Compares texts as databases with bytewise collation do. JavaScript's own order differs above U+FFFF. */
export function compareBytewise(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) {
      return codeUnitRank(a) - codeUnitRank(b);
    }
  }
  return left.length - right.length;
}

/** The rank of a code unit. Surrogates encode code points above every other code unit, so they sort after U+E000 to U+FFFF. */
function codeUnitRank(unit: number): number {
  if (unit >= 0xe000) {
    return unit - 0x800;
  }
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}
