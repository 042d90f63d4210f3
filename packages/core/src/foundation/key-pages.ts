import { fromBase64Url, toBase64Url } from "./digest.ts";
import { BelfryError } from "./errors.ts";
import type { ChecksOf } from "./issue-list.ts";
import { NAME_RULE, stringIssue, type TextRule, textIssue, whole } from "./parse-text.ts";

/** A page of a list whose rows each have a key that the list is sorted by. */
export interface KeyPageInput {
  /** From 1 to 1,000. @default 100 */
  readonly limit?: number;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** The checks of {@link KeyPageInput}. */
export const KEY_PAGE: ChecksOf<KeyPageInput> = { limit: whole({ min: 1, max: 1_000 }), cursor: stringIssue };

const DEFAULT_LIMIT = 100;

/**
 * The rows that a page asks for: those after a key, null from the start.
 * @param rule the rule that keys meet
 * @throws BelfryError `INVALID_CURSOR`
 */
export function keyRange(
  { limit = DEFAULT_LIMIT, cursor }: KeyPageInput,
  rule: TextRule = NAME_RULE,
): { readonly after: string | null; readonly limit: number } {
  const bytes = cursor === undefined ? null : fromBase64Url(cursor);
  const after = bytes === null ? null : new TextDecoder().decode(bytes);
  if (cursor !== undefined && (after === null || after === "" || textIssue(after, [], rule) !== null)) {
    throw new BelfryError("INVALID_CURSOR", "The cursor is not one that this list gave. Start again without a cursor.");
  }
  return { after, limit };
}

/** The rows that a page shows, of those that were found: one more, if there is another page. */
export function keyPage<Row>(
  found: readonly Row[],
  { limit, keyOf }: { readonly limit: number; readonly keyOf: (row: Row) => string },
): { readonly shown: readonly Row[]; readonly nextCursor: string | null } {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return { shown, nextCursor: hasMore ? toBase64Url(new TextEncoder().encode(keyOf(last))) : null };
}
