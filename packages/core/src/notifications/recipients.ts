import { IssueList } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";

/** The most recipients that one notification may have. */
export const MAX_RECIPIENTS = 1_000_000;

/** Makes the list of recipients for storages: checked, each user once, sorted bytewise in UTF-8. */
export function parseRecipients(to: unknown): { readonly recipients: readonly string[] } | { readonly issues: IssueList } {
  const list: readonly unknown[] = Array.isArray(to) ? to : [to];
  const issues = new IssueList();
  if (list.length === 0 || list.length > MAX_RECIPIENTS) {
    issues.add(
      list.length === 0
        ? { path: ["to"], type: "too_short", message: "must name at least one user" }
        : { path: ["to"], type: "too_long", message: `must name at most ${MAX_RECIPIENTS} users, names ${list.length}; split the list` },
    );
    return { issues };
  }
  const distinct = new Set<string>();
  for (const [index, userId] of list.entries()) {
    const issue = textIssue(userId, Array.isArray(to) ? ["to", index] : ["to"], NAME_RULE);
    if (issue) {
      issues.add(issue);
    } else {
      distinct.add(userId as string);
    }
  }
  return issues.isEmpty ? { recipients: [...distinct].sort(compareBytewise) } : { issues };
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
