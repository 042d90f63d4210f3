import { type Acting, actorOf } from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { validationError } from "../foundation/issue-list.ts";
import type { ActivityFilter, ActivitySummary, RetriedAll } from "./activity.ts";
import type { OperatorContext } from "./context.ts";
import { afterCursor, encodeActivityCursor, filterIssues, limitIssue, pickFilter } from "./parse-filter.ts";
import { MAX_COUNT } from "./read-activity.ts";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const RETRYABLE = ["failed", "partial"] as const;

/** Options of a retry of all matching sends. */
export interface RetryAllOptions extends Acting {
  /** The most sends to retry, newest first, 1 to 1,000. @default 100 */
  readonly limit?: number;
  /** The `nextCursor` of the call before, to go on with older ones; it works with the same filter only. */
  readonly cursor?: string;
}

/** Retries the matching failed and partial sends; see `Operator.retryAll`. */
export async function retryAll(
  context: OperatorContext,
  { tenant, filter: given }: { readonly tenant: string; readonly filter: ActivityFilter },
  { limit = DEFAULT_LIMIT, cursor, ...acting }: RetryAllOptions,
): Promise<RetriedAll> {
  const issues = [...filterIssues(given), ...limitIssue(limit, MAX_LIMIT)];
  if (issues.length > 0) {
    throw validationError(issues);
  }
  const actor = actorOf(acting);
  const scope = { tenant, filter: pickFilter(given) };
  const after = afterCursor(cursor, scope);
  using _call = await context.ready();
  const filters = retryable(scope.filter);
  const matched = await countAll(context, tenant, filters);
  // Reads one send more than requested, to see whether there are older ones.
  const found = await newest(context, tenant, { filters, query: { ...after, limit: limit + 1 } });
  const taken = found.slice(0, limit);
  let retried = 0;
  for (const { id } of taken) {
    if (await retryOne(context, { tenant, id, actor })) {
      retried += 1;
    }
  }
  const last = taken.at(-1);
  const nextCursor = found.length > limit && last !== undefined ? encodeActivityCursor(last.id, scope) : null;
  return { matched, retried, remaining: await countAll(context, tenant, filters), nextCursor };
}

/** Counts the matching failed and partial sends; see `Operator.countRetryable`. */
export async function countRetryable(
  context: OperatorContext,
  { tenant, filter: given }: { readonly tenant: string; readonly filter: ActivityFilter },
): Promise<number> {
  const issues = filterIssues(given);
  if (issues.length > 0) {
    throw validationError(issues);
  }
  using _call = await context.ready();
  return countAll(context, tenant, retryable(pickFilter(given)));
}

/** Returns the filter once for each status that can be retried and that the filter allows. */
function retryable(filter: ActivityFilter): readonly ActivityFilter[] {
  return RETRYABLE.filter((status) => filter.status === undefined || filter.status === status).map((status) => ({ ...filter, status }));
}

async function countAll(context: OperatorContext, tenant: string, filters: readonly ActivityFilter[]): Promise<number> {
  const counts = await Promise.all(filters.map((filter) => context.activity.count(tenant, filter, MAX_COUNT)));
  return counts.reduce((total, count) => total + count, 0);
}

async function newest(
  context: OperatorContext,
  tenant: string,
  { filters, query }: { readonly filters: readonly ActivityFilter[]; readonly query: { readonly after?: string; readonly limit: number } },
): Promise<readonly ActivitySummary[]> {
  const found = await Promise.all(filters.map((filter) => context.activity.search(tenant, { ...filter, ...query })));
  // Ids are of one length and in lower case: they compare as their bytes do.
  return found.flat().sort((left, right) => (left.id < right.id ? 1 : -1));
}

/** Retries one send. Returns false if somebody else retried, deleted or settled it meanwhile. */
async function retryOne(
  context: OperatorContext,
  request: { readonly tenant: string; readonly id: string; readonly actor: string },
): Promise<boolean> {
  try {
    await context.retrySend(request);
    return true;
  } catch (error) {
    if (error instanceof BelfryError && (error.code === "INVALID_STATE" || error.code === "NOT_FOUND")) {
      return false;
    }
    throw error;
  }
}
