import { validationError } from "../foundation/issue-list.ts";
import type { ActivityFilter, ActivityPage } from "./activity.ts";
import { afterCursor, encodeActivityCursor } from "./activity-cursor.ts";
import type { OperatorContext } from "./context.ts";
import { filterIssues, limitIssue, pickFilter } from "./parse-filter.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 100;
/** The highest count. A count takes time in proportion to its matches, and nobody needs more. */
export const MAX_COUNT = 10_000;

/** The filter of a search, and the page. */
export interface SearchInput extends ActivityFilter {
  /** The `nextCursor` of the page before; it works with the same filter only. */
  readonly cursor?: string;
  /** 1 to 100. @default 50 */
  readonly limit?: number;
}

/** Returns a page of the matches; see `Operator.search`. */
export async function searchActivity(context: OperatorContext, tenant: string, input: SearchInput): Promise<ActivityPage> {
  const { cursor, limit = DEFAULT_LIMIT } = input;
  const issues = [...filterIssues(input), ...limitIssue(limit, MAX_LIMIT)];
  if (issues.length > 0) {
    throw validationError(issues);
  }
  const scope = { tenant, filter: pickFilter(input) };
  const after = afterCursor(cursor, scope);
  using _call = await context.ready();
  // Reads one more than requested, to see whether there is a next page.
  const query = { ...scope.filter, ...after, limit: limit + 1 };
  const found = await context.activity.search(tenant, query);
  const notifications = found.slice(0, limit);
  const last = notifications.at(-1);
  return { notifications, nextCursor: found.length > limit && last !== undefined ? encodeActivityCursor(last.id, scope) : null };
}

/** Counts the matches, up to {@link MAX_COUNT}. */
export async function countActivity(context: OperatorContext, tenant: string, filter: ActivityFilter): Promise<number> {
  const issues = filterIssues(filter);
  if (issues.length > 0) {
    throw validationError(issues);
  }
  using _call = await context.ready();
  return context.activity.count(tenant, pickFilter(filter), MAX_COUNT);
}
