import type { Issue } from "../foundation/errors.ts";
import type { JsonObject, JsonValue } from "../foundation/json.ts";

/**
 * The filter language of handlers. A filter is an object; each of its members is a condition on the metadata, and all of
 * them must hold. A member's name is a key of the metadata, or a path of keys with dots between (`sender.domain`); a key
 * that itself contains the dots is looked for first. A member's value is what the metadata must equal, or
 * `{ operator, value }`:
 *
 * | operator | holds where the metadata's value |
 * |---|---|
 * | `equals`, `eq` | is the same JSON |
 * | `not_equals` | is not the same JSON, or is missing |
 * | `in` | is one of a list |
 * | `not_in` | is none of a list, or is missing |
 * | `contains` | is a text with this part, or a list with this member |
 * | `exists` | is there (`value: true`, also when left out), or is missing (`value: false`) |
 * | `gt`, `gte`, `lt`, `lte` | is greater, … than a number or text of the same kind |
 *
 * Nothing is converted: `1` is not `"1"`. Text is compared as it is, letter case included.
 */
export type MetadataFilter = JsonObject;

/** The value in the metadata at a path. `found` tells a missing key from one that is null. */
type Found = { readonly found: true; readonly value: JsonValue } | { readonly found: false };

type Operator = (found: Found, wanted: JsonValue) => boolean;

interface Condition {
  readonly operator: string;
  readonly value: JsonValue | undefined;
}

/** The most conditions a filter may have: each is evaluated for every event of its source. */
const MAX_CONDITIONS = 100;

const equals: Operator = (found, wanted) => found.found && isSame(found.value, wanted);
const isIn: Operator = (found, wanted) => found.found && Array.isArray(wanted) && wanted.some((one) => isSame(found.value, one));

const OPERATORS: Readonly<Record<string, Operator>> = {
  equals,
  eq: equals,
  not_equals: (found, wanted) => !equals(found, wanted),
  in: isIn,
  not_in: (found, wanted) => !isIn(found, wanted),
  contains: (found, wanted) => found.found && contains(found.value, wanted),
  exists: (found, wanted) => found.found === wanted,
  gt: (found, wanted) => isOrdered(found, wanted, (order) => order > 0),
  gte: (found, wanted) => isOrdered(found, wanted, (order) => order >= 0),
  lt: (found, wanted) => isOrdered(found, wanted, (order) => order < 0),
  lte: (found, wanted) => isOrdered(found, wanted, (order) => order <= 0),
};

const LISTS = ["in", "not_in"];
const ORDERS = ["gt", "gte", "lt", "lte"];

/** Returns the issues of a filter, condition by condition; none for a valid one. `path` is the filter's place in the input. */
export function filterIssues(filter: MetadataFilter, path: Issue["path"]): readonly Issue[] {
  const conditions = Object.entries(filter);
  if (conditions.length > MAX_CONDITIONS) {
    return [{ path, type: "too_long", message: `must have at most ${MAX_CONDITIONS} conditions, has ${conditions.length}` }];
  }
  return conditions.flatMap(([key, value]) => conditionIssues(value, [...path, key]));
}

/** Whether `metadata` fits `filter`. It has no effects. An invalid filter never fits; see {@link filterIssues}. */
export function fitsFilter(filter: MetadataFilter, metadata: JsonObject): boolean {
  return Object.entries(filter).every(([key, value]) => {
    const condition = conditionOf(value);
    const operator = operatorOf(condition.operator);
    return operator?.(find(metadata, key), condition.value ?? null) ?? false;
  });
}

function conditionOf(value: JsonValue): Condition {
  if (!isCondition(value)) {
    return { operator: "equals", value };
  }
  const operator = String(value.operator);
  return { operator, value: operator === "exists" ? (value.value ?? true) : value.value };
}

function isCondition(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, "operator");
}

function operatorOf(name: string): Operator | undefined {
  return Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
}

function conditionIssues(value: JsonValue, path: Issue["path"]): readonly Issue[] {
  if (!isCondition(value)) {
    return [];
  }
  const { operator, value: wanted } = value;
  if (typeof operator !== "string" || operatorOf(operator) === undefined) {
    const known = Object.keys(OPERATORS).join(", ");
    return [{ path: [...path, "operator"], type: "enum", message: `must be one of ${known}, is ${JSON.stringify(operator)}` }];
  }
  const unknown = Object.keys(value).filter((key) => key !== "operator" && key !== "value");
  if (unknown.length > 0) {
    return [{ path: [...path, unknown[0] as string], type: "extra_forbidden", message: "a condition has only an operator and a value" }];
  }
  const message = valueProblem(operator, wanted);
  return message === null ? [] : [{ path: [...path, "value"], type: wanted === undefined ? "missing" : "value_error", message }];
}

function valueProblem(operator: string, wanted: JsonValue | undefined): string | null {
  if (operator === "exists") {
    return wanted === undefined || typeof wanted === "boolean" ? null : "must be true or false";
  }
  if (wanted === undefined) {
    return `is required by ${operator}`;
  }
  if (LISTS.includes(operator)) {
    return Array.isArray(wanted) ? null : `must be a list for ${operator}`;
  }
  if (ORDERS.includes(operator)) {
    return typeof wanted === "number" || typeof wanted === "string" ? null : `must be a number or a text for ${operator}`;
  }
  return null;
}

function find(metadata: JsonObject, path: string): Found {
  const own = member(metadata, path);
  if (own.found) {
    return own;
  }
  let at: Found = { found: true, value: metadata };
  for (const key of path.split(".")) {
    at = at.found ? member(at.value, key) : at;
  }
  return at;
}

function member(value: JsonValue, key: string): Found {
  // Own members only: `constructor` or `length` is nothing the metadata has.
  const has = typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, key);
  return has ? { found: true, value: (value as JsonObject)[key] as JsonValue } : { found: false };
}

function contains(value: JsonValue, wanted: JsonValue): boolean {
  if (Array.isArray(value)) {
    return value.some((one: JsonValue) => isSame(one, wanted));
  }
  return typeof value === "string" && typeof wanted === "string" && value.includes(wanted);
}

function isOrdered(found: Found, wanted: JsonValue, fits: (order: number) => boolean): boolean {
  if (!found.found) {
    return false;
  }
  const { value } = found;
  if (typeof value === "number" && typeof wanted === "number") {
    return fits(value - wanted);
  }
  if (typeof value === "string" && typeof wanted === "string") {
    return fits(value === wanted ? 0 : value < wanted ? -1 : 1);
  }
  return false;
}

/** Whether two values are the same JSON; the order of an object's members does not count. */
function isSame(left: JsonValue, right: JsonValue): boolean {
  if (left === right) {
    return true;
  }
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
    return false;
  }
  if (Array.isArray(left) || Array.isArray(right)) {
    return isSameList(left, right);
  }
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every(
      (key) => Object.hasOwn(right, key) && isSame((left as JsonObject)[key] as JsonValue, (right as JsonObject)[key] as JsonValue),
    )
  );
}

function isSameList(left: JsonValue, right: JsonValue): boolean {
  return (
    Array.isArray(left) &&
    Array.isArray(right) &&
    left.length === right.length &&
    left.every((one: JsonValue, index) => isSame(one, right[index] as JsonValue))
  );
}
