import type { Issue } from "./errors.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/**
 * The filter language of handlers and of conditional choices. A filter is an object; each of its members is a condition on the metadata, and all of
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

/** Whether the metadata's value, undefined where it is missing, fits the wanted one. */
type Operator = (found: JsonValue | undefined, wanted: JsonValue) => boolean;

/** The most conditions a filter may have: each is evaluated for every event of its source. */
const MAX_CONDITIONS = 100;

const equals: Operator = (found, wanted) => found !== undefined && isSame(found, wanted);
const isIn: Operator = (found, wanted) => found !== undefined && Array.isArray(wanted) && wanted.some((one) => isSame(found, one));

const OPERATORS: Readonly<Record<string, Operator>> = {
  equals,
  eq: equals,
  not_equals: (found, wanted) => !equals(found, wanted),
  in: isIn,
  not_in: (found, wanted) => !isIn(found, wanted),
  contains,
  exists: (found, wanted) => (found !== undefined) === wanted,
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

/** Whether metadata fits a filter. It has no effects. */
export type FitsFilter = (metadata: JsonObject) => boolean;

/** Whether `metadata` fits `filter`. It has no effects. An invalid filter never fits; see {@link filterIssues}. */
export function fitsFilter(filter: MetadataFilter, metadata: JsonObject): boolean {
  return compileFilter(filter)(metadata);
}

/** Makes a filter into a function, for one that is asked about many metadata. See {@link fitsFilter}. */
export function compileFilter(filter: MetadataFilter): FitsFilter {
  const conditions = Object.entries(filter).map(([key, condition]) => compileCondition(key, condition));
  return (metadata) => conditions.every((holds) => holds(metadata));
}

function compileCondition(key: string, condition: JsonValue): FitsFilter {
  if (!isCondition(condition)) {
    return (metadata) => equals(find(metadata, key), condition);
  }
  const { operator, value } = condition;
  const holds = typeof operator === "string" ? operatorOf(operator) : undefined;
  const wanted = value ?? (operator === "exists" ? true : null);
  return holds === undefined ? () => false : (metadata) => holds(find(metadata, key), wanted);
}

function isCondition(value: JsonValue): value is JsonObject {
  return isObject(value) && Object.hasOwn(value, "operator");
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

function find(metadata: JsonObject, path: string): JsonValue | undefined {
  const own = member(metadata, path);
  return own === undefined ? path.split(".").reduce<JsonValue | undefined>(member, metadata) : own;
}

/** Own members only: `constructor` or `length` is nothing the metadata has. */
function member(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function contains(found: JsonValue | undefined, wanted: JsonValue): boolean {
  if (Array.isArray(found)) {
    return found.some((one: JsonValue) => isSame(one, wanted));
  }
  return typeof found === "string" && typeof wanted === "string" && found.includes(wanted);
}

function isOrdered(found: JsonValue | undefined, wanted: JsonValue, fits: (order: number) => boolean): boolean {
  if (typeof found === "number" && typeof wanted === "number") {
    return fits(found - wanted);
  }
  if (typeof found === "string" && typeof wanted === "string") {
    return fits(found === wanted ? 0 : found < wanted ? -1 : 1);
  }
  return false;
}

/** Whether two values are the same JSON; the order of an object's members does not count. */
function isSame(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  if (left === right) {
    return true;
  }
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
    return false;
  }
  const [keys, others] = [Object.keys(left), Object.keys(right)];
  return (
    Array.isArray(left) === Array.isArray(right) &&
    keys.length === others.length &&
    keys.every((key) => Object.hasOwn(right, key) && isSame((left as JsonObject)[key], (right as JsonObject)[key]))
  );
}
