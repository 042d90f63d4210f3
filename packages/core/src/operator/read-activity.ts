import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { validationError } from "../foundation/issue-list.ts";
import { describe } from "../foundation/parse-text.ts";
import type { Activity, ActivityFilter, ActivityPage, ChannelHealth, HealthRange } from "./activity.ts";
import type { OperatorContext } from "./context.ts";
import { afterCursor, encodeActivityCursor, filterIssues, limitIssue, pickFilter } from "./parse-filter.ts";

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

const MAX_ITEMS = 100;
const MAX_DELIVERIES = 1_000;
const MAX_AUDIT = 1_000;

/** Returns all data about one notification. Throws `NOT_FOUND`. */
export async function readTimeline(context: OperatorContext, tenant: string, given: string): Promise<Activity> {
  using _call = await context.ready();
  const { activity, deliveries, hub } = context;
  const id = given.toLowerCase();
  const content = isUuid(id) ? await activity.find(tenant, id) : null;
  if (content === null) {
    throw new BelfryError("NOT_FOUND", `There is no notification ${JSON.stringify(given.slice(0, 64))}.`);
  }
  const { kind } = content.summary;
  const [inboxes, send, tracked, records, audit] = await Promise.all([
    activity.itemsOf(tenant, id, MAX_ITEMS),
    kind === "send" ? deliveries.findSend(tenant, id) : null,
    kind === "send" ? deliveries.deliveriesOf(tenant, [id], { offset: 0, limit: MAX_DELIVERIES }) : [],
    kind === "event" ? hub.recordsOf(tenant, id) : [],
    activity.auditOf(tenant, id, MAX_AUDIT),
  ]);
  const { items, total, read } = inboxes;
  return { ...content, items, itemCount: total, readCount: read, send, deliveries: tracked, records, audit };
}

const MINUTE_MS = 60_000;

const RANGES: Readonly<Record<HealthRange, { readonly bucketMs: number; readonly buckets: number }>> = {
  "1h": { bucketMs: MINUTE_MS, buckets: 60 },
  "24h": { bucketMs: 30 * MINUTE_MS, buckets: 48 },
  "7d": { bucketMs: 120 * MINUTE_MS, buckets: 84 },
};

/** Returns the health of each channel. The last part of the period is the current one. */
export async function readHealth(context: OperatorContext, tenant: string, range: HealthRange): Promise<readonly ChannelHealth[]> {
  const parts = Object.hasOwn(RANGES, range) ? RANGES[range] : null;
  if (parts === null) {
    const is = typeof range === "string" ? JSON.stringify((range as string).slice(0, 64)) : describe(range);
    const message = `must be one of ${Object.keys(RANGES).join(", ")}, is ${is}`;
    throw validationError([{ path: ["range"], type: "value_error", message }]);
  }
  using _call = await context.ready();
  const now = context.clock.now();
  // Parts begin at round times, so that a bar of the chart stays the same bar as time passes.
  const begun = now - (now % parts.bucketMs);
  const from = new Date(begun - (parts.buckets - 1) * parts.bucketMs);
  return context.activity.health(tenant, { from, ...parts }, new Date(now));
}
