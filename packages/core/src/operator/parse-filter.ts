import type { Issue } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { describe, NAME_RULE, type TextRule, textIssue } from "../foundation/parse-text.ts";
import type { ActivityFilter } from "./activity.ts";

const KINDS = ["message", "send", "event"];
const STATUSES = ["pending", "sent", "delivered", "failed", "partial", "cancelled"];
/** Recipients may be URLs. */
const RECIPIENT_RULE: TextRule = { minLength: 1, maxLength: 4_096 };
const LAST_MS = Date.UTC(9999, 11, 31);

/** Returns the issues of a filter; empty for a valid one. */
export function filterIssues({ id, kind, recipient, type, channel, status, from, before }: ActivityFilter): Issue[] {
  return [
    ...given(id, (value) => (isUuid(value) ? null : issue("id", "must be a notification's id, which is a UUID"))),
    ...given(kind, (value) => oneOf("kind", value, KINDS)),
    ...given(recipient, (value) => textIssue(value, ["recipient"], RECIPIENT_RULE)),
    ...given(type, (value) => textIssue(value, ["type"], NAME_RULE)),
    ...given(channel, (value) => textIssue(value, ["channel"], NAME_RULE)),
    ...given(status, (value) => oneOf("status", value, STATUSES)),
    ...given(from, (value) => timeIssue("from", value)),
    ...given(before, (value) => timeIssue("before", value)),
  ];
}

/** Returns only the members of a filter, with its id in lower case. */
export function pickFilter({ id, kind, recipient, type, channel, status, from, before }: ActivityFilter): ActivityFilter {
  return {
    ...(id === undefined ? {} : { id: id.toLowerCase() }),
    ...(kind === undefined ? {} : { kind }),
    ...(recipient === undefined ? {} : { recipient }),
    ...(type === undefined ? {} : { type }),
    ...(channel === undefined ? {} : { channel }),
    ...(status === undefined ? {} : { status }),
    ...(from === undefined ? {} : { from }),
    ...(before === undefined ? {} : { before }),
  };
}

/** Returns an issue unless `value` is a whole number from 1 to `max`. */
export function limitIssue(value: number, max: number): Issue[] {
  const isFine = Number.isInteger(value) && value >= 1 && value <= max;
  return isFine ? [] : [issue("limit", `must be a whole number from 1 to ${max}, is ${String(value)}`)];
}

function given<Value>(value: Value | undefined, check: (value: Value) => Issue | null): Issue[] {
  const found = value === undefined ? null : check(value);
  return found ? [found] : [];
}

function oneOf(field: string, value: string, values: readonly string[]): Issue | null {
  return values.includes(value) ? null : issue(field, `must be one of ${values.join(", ")}, is ${shown(value)}`);
}

function timeIssue(field: string, value: unknown): Issue | null {
  const isTime = value instanceof Date && value.getTime() >= 0 && value.getTime() <= LAST_MS;
  return isTime
    ? null
    : issue(field, `must be a Date of the years 1970 to 9999, is ${value instanceof Date ? String(value) : describe(value)}`);
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : describe(value);
}

function issue(field: string, message: string): Issue {
  return { path: [field], type: "value_error", message };
}
