import type { Issue } from "./errors.ts";
import { IssueList } from "./issue-list.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { describe, isPlain, unstorable } from "./parse-text.ts";

const MAX_DEPTH = 64;
const MAX_BYTES = 256 * 1024;
/** Most bytes of JSON for each character that a copy counts: an escape has 6, and a number, which counts as 2, up to 25. */
const MOST_BYTES_EACH = 14;

/**
 * Copies `value` into plain JSON, as `JSON.stringify` would write it (a Date becomes its ISO text, undefined members
 * are left out), and collects why it cannot be stored: not an object, an instance of a class that JSON would write as
 * `{}` (a Map, a Promise), nested deeper than 64, larger than 256 KiB, a number that JSON has no form for, or a text no
 * database keeps. The whole value must be an object as JSON, too, so a Date is refused there. Whole numbers beyond 2^53 are
 * the nearest one that JavaScript has, as `JSON.parse` reads them. Looks no further once enough is wrong.
 */
export function parseJsonObject(value: unknown, path: Issue["path"]): { readonly value: JsonObject } | { readonly issues: IssueList } {
  const issues = new IssueList();
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    issues.add({ path, type: "dict_type", message: `expected a JSON object, got ${describe(value)}` });
    return { issues };
  }
  const copier = new Copier(path, issues);
  const copy = copier.copy(value);
  if (issues.isEmpty && (typeof copy !== "object" || copy === null || Array.isArray(copy))) {
    issues.add({ path, type: "dict_type", message: `expected a JSON object, got ${describe(value)}, which JSON has as ${describe(copy)}` });
  }
  const isCounted = copier.isPerhapsTooLong && !copier.isTooLong && issues.isEmpty;
  const bytes = isCounted ? new TextEncoder().encode(JSON.stringify(copy)).length : null;
  if (copier.isTooLong || (bytes !== null && bytes > MAX_BYTES)) {
    issues.add({ path, type: "too_long", message: `must be at most ${MAX_BYTES} bytes as JSON, is ${bytes ?? "much longer"}` });
  }
  return issues.isEmpty ? { value: copy as JsonObject } : { issues };
}

/** Copies `value` as {@link parseJsonObject} does. @throws BelfryError `VALIDATION_ERROR` if it cannot be stored */
export function requireJsonObject(value: unknown, path: Issue["path"]): JsonObject {
  const parsed = parseJsonObject(value, path);
  if ("issues" in parsed) {
    throw parsed.issues.error();
  }
  return parsed.value;
}

/** Copies a value. Knows where it is, so that a path is only made for an issue that is kept. */
class Copier {
  readonly #path: (string | number)[];
  readonly #issues: IssueList;
  /** The copy has at least so many characters as JSON, with a comma after each value. */
  #length = 0;

  constructor(path: Issue["path"], issues: IssueList) {
    this.#path = [...path];
    this.#issues = issues;
  }

  /** Whether the copy ended early, as it was too long. */
  get isTooLong(): boolean {
    return this.#length > MAX_BYTES + 1;
  }

  /** Whether only its JSON shows how many bytes the copy has: a short one has surely few enough. */
  get isPerhapsTooLong(): boolean {
    return this.#length * MOST_BYTES_EACH > MAX_BYTES;
  }

  copy(value: unknown): JsonValue {
    this.#length += 2;
    if (this.#path.length > MAX_DEPTH) {
      this.#add({ type: "too_deep", message: `must not be nested deeper than ${MAX_DEPTH} levels` }, this.#path.slice(0, 3));
      return null;
    }
    if (value === null || typeof value === "boolean") {
      return value;
    }
    if (typeof value === "string") {
      this.#checkText(value);
      return value;
    }
    if (typeof value === "number" && Number.isFinite(value)) {
      // JSON has no negative zero.
      return value === 0 ? 0 : value;
    }
    if (typeof value === "object") {
      return this.#copyObject(value);
    }
    this.#add({ type: "json_type", message: `${describe(value)} has no form in JSON` });
    return null;
  }

  #copyObject(value: object): JsonValue {
    const { toJSON } = value as { readonly toJSON?: unknown };
    if (typeof toJSON === "function") {
      return this.copy(toJSON.call(value));
    }
    return Array.isArray(value) ? this.#copyElements(value) : this.#copyMembers(value);
  }

  #copyElements(value: readonly unknown[]): JsonValue {
    const elements: JsonValue[] = [];
    for (let index = 0; index < value.length && !this.#isOver(); index += 1) {
      elements.push(this.#copyMember(index, value[index] ?? null));
    }
    return elements;
  }

  #copyMembers(value: object): JsonValue {
    const keys = Object.keys(value);
    if (keys.length === 0 && !isPlain(value)) {
      this.#add({ type: "json_type", message: `${describe(value)} has no form in JSON` });
    }
    const members: Record<string, JsonValue> = {};
    for (const key of keys) {
      const member: unknown = (value as Record<string, unknown>)[key];
      if (this.#isOver()) {
        break;
      }
      if (member !== undefined) {
        this.#length += 3;
        this.#checkText(key);
        const copy = this.#copyMember(key, member);
        if (key === "__proto__") {
          // Assigned, it would become the prototype.
          Object.defineProperty(members, key, { value: copy, enumerable: true, configurable: true, writable: true });
        } else {
          members[key] = copy;
        }
      }
    }
    return this.#isOver() ? {} : members;
  }

  #copyMember(key: string | number, member: unknown): JsonValue {
    this.#path.push(key);
    const copy = this.copy(member);
    this.#path.pop();
    return copy;
  }

  #isOver(): boolean {
    return this.isTooLong || this.#issues.isFull;
  }

  #checkText(text: string): void {
    this.#length += text.length;
    const issue = unstorable(text, this.#path);
    if (issue) {
      this.#add(issue);
    }
  }

  #add({ type, message }: Omit<Issue, "path">, path: Issue["path"] = this.#path): void {
    this.#issues.add(() => ({ path: [...path], type, message }));
    if (this.#issues.isFull) {
      // The rest is not looked at.
      this.#issues.skip(Number.POSITIVE_INFINITY);
    }
  }
}
