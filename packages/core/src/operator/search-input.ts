import { type ChecksOf, pageChecks } from "../foundation/issue-list.ts";
import { type Check, stringIssue, text } from "../foundation/parse-text.ts";
import type { ActivityFilter } from "./activity.ts";

const MAX_LIMIT = 100;
const MAX_RECIPIENTS = 50;

/** The filter of a search, and the page. */
export interface SearchInput extends ActivityFilter {
  /** The `nextCursor` of the page before; it works with the same filter only. */
  readonly cursor?: string;
  /** 1 to 100. @default 50 */
  readonly limit?: number;
}

/** Options of a list of recipients. */
export interface RecipientsInput {
  /** 1 to 50. @default 10 */
  readonly limit?: number;
}

/** The check of the beginning of a name, which may be a URL. */
export const BEGINNING: Check = text({ minLength: 1, maxLength: 4_096 });
/** The checks of a page. */
export const PAGE: ChecksOf<Omit<SearchInput, keyof ActivityFilter>> = { limit: pageChecks(MAX_LIMIT).limit, cursor: stringIssue };
/** The checks of {@link RecipientsInput}. */
export const RECIPIENTS: ChecksOf<RecipientsInput> = { limit: pageChecks(MAX_RECIPIENTS).limit };
