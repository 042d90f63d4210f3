import { DELIVERY_STATES, SEND_STATUSES } from "../delivery/index.ts";
import { fingerprint } from "../foundation/digest.ts";
import { BelfryError, type Issue } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { type Checks, type ChecksOf, requireInput } from "../foundation/issue-list.ts";
import { describe, NAME_RULE, oneOf, text } from "../foundation/parse-text.ts";
import type { ActivityFilter, ActivitySummary } from "./activity.ts";
import { BEGINNING } from "./search-input.ts";

/**
 * The largest difference between an id's time and `createdAt`. Both come from one clock within a millisecond. But ids never
 * go back, while a corrected clock may, and an id made for an event has the event's time.
 */
const SLACK_MS = 24 * 60 * 60 * 1_000;

/** The range of ids for a filter's times. A missing bound is null. */
export interface IdRange {
  /** Inclusive. */
  readonly lowest: string | null;
  /** Exclusive. */
  readonly below: string | null;
}

/**
 * Returns the range of ids that a search must read: the filter's own times with a day to spare, because UUIDv7 sort by time.
 * The caller still checks the filter.
 */
export function idRange({ from, before }: Pick<ActivityFilter, "from" | "before">): IdRange {
  return {
    lowest: from === undefined ? null : lowestAt(from.getTime() - SLACK_MS),
    below: before === undefined ? null : lowestAt(before.getTime() + SLACK_MS),
  };
}

function lowestAt(timeMs: number): string {
  const time = Math.max(0, timeMs).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}

/** The search that a cursor belongs to. Any other search refuses the cursor. */
export interface ActivityScope {
  readonly tenant: string;
  readonly filter: ActivityFilter;
}

/**
 * Encodes the position where the next page of a search starts: the last notification's id without its dashes, then a
 * checksum of the id, the tenant and the filter. The checksum only finds mistakes. It does not control access, because every
 * query names its tenant.
 */
function encodeActivityCursor(id: string, scope: ActivityScope): string {
  return `${id.replaceAll("-", "")}-${check(id, scope)}`;
}

/**
 * Returns the part of a query that starts it behind `cursor`, if there is one. Throws `INVALID_CURSOR` for an edited cursor
 * or one of another search.
 */
export function afterCursor(cursor: string | undefined, scope: ActivityScope): { readonly after?: string } {
  if (cursor === undefined) {
    return {};
  }
  const parts = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})-[0-9a-z]{1,13}$/.exec(cursor);
  const after = parts === null ? null : parts.slice(1).join("-");
  if (after === null || encodeActivityCursor(after, scope) !== cursor) {
    throw new BelfryError("INVALID_CURSOR", "The cursor is not one that a call with this filter gave. Start again without a cursor.");
  }
  return { after };
}

/** Returns the cursor behind the first `limit` of what was found, or null when there is no more. */
export function cursorBehind(found: readonly Pick<ActivitySummary, "id">[], limit: number, scope: ActivityScope): string | null {
  const last = found[limit - 1];
  return found.length > limit && last !== undefined ? encodeActivityCursor(last.id, scope) : null;
}

function check(id: string, { tenant, filter }: ActivityScope): string {
  const values = FILTER_NAMES.map((name) => filter[name] ?? null);
  return fingerprint([id, tenant, ...values.map((value) => (value instanceof Date ? value.getTime() : value))]);
}

const LAST_MS = Date.UTC(10_000, 0) - 1;

const FILTER: ChecksOf<ActivityFilter> = {
  id: idIssue,
  kind: oneOf(["message", "send", "event"]),
  // It may be a URL.
  recipient: text({ minLength: 1, maxLength: 4_096 }),
  type: text(NAME_RULE),
  channel: text(NAME_RULE),
  status: oneOf(SEND_STATUSES),
  from: timeIssue,
  before: timeIssue,
  state: oneOf(DELIVERY_STATES),
  recipientPrefix: BEGINNING,
  user: text(NAME_RULE),
  providerId: text({ minLength: 1, maxLength: 1_000 }),
  idempotencyKey: text(NAME_RULE),
  error: text({ minLength: 1, maxLength: 1_000 }),
};
/** In the order in which cursors count them. */
const FILTER_NAMES = Object.keys(FILTER) as (keyof ActivityFilter)[];

/**
 * Checks that a filter has its own members, and those that `more` names, and no others. Returns the filter alone, with its id in
 * lower case. Throws `VALIDATION_ERROR`.
 */
export function parseFilter(what: string, input: ActivityFilter, more: Checks = {}): ActivityFilter {
  requireInput(what, input, { ...FILTER, ...more });
  const members = FILTER_NAMES.map((name) => [name, name === "id" ? input.id?.toLowerCase() : input[name]]);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** Returns an issue unless `value` is the id of a notification. */
export function idIssue(value: unknown, field: string): Issue | null {
  return typeof value === "string" && isUuid(value) ? null : issue(field, "must be a notification's id, which is a UUID");
}

/** Returns an issue unless `value` is a time that a search takes. */
export function timeIssue(value: unknown, field: string): Issue | null {
  const isTime = value instanceof Date && value.getTime() >= 0 && value.getTime() <= LAST_MS;
  return isTime
    ? null
    : issue(field, `must be a Date of the years 1970 to 9999, is ${value instanceof Date ? String(value) : describe(value)}`);
}

function issue(field: string, message: string): Issue {
  return { path: [field], type: "value_error", message };
}
