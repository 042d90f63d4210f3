import type { Issue } from "./errors.ts";
import { IssueList } from "./issue-list.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { describe, unstorable } from "./parse-text.ts";

const MAX_DEPTH = 64;
const MAX_BYTES = 256 * 1024;

/**
 * Copies `value` into plain JSON, as `JSON.stringify` would write it (a Date becomes its ISO text, undefined members
 * are left out), and collects why it cannot be stored: not an object, nested deeper than 64, larger than 256 KiB, a
 * number that JSON has no form for, or a text no database keeps.
 */
export function parseJsonObject(value: unknown, path: Issue["path"]): { readonly value: JsonObject } | { readonly issues: IssueList } {
  const issues = new IssueList();
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    issues.add({ path, type: "dict_type", message: `expected a JSON object, got ${describe(value)}` });
    return { issues };
  }
  const copy = new Copier(path, issues).copy(value);
  if (!issues.isEmpty) {
    return { issues };
  }
  const bytes = new TextEncoder().encode(JSON.stringify(copy)).length;
  if (bytes > MAX_BYTES) {
    issues.add({ path, type: "too_long", message: `must be at most ${MAX_BYTES} bytes as JSON, is ${bytes}` });
    return { issues };
  }
  return { value: copy as JsonObject };
}

/** Copies a value. Knows where it is, so that a path is only made for an issue that is kept. */
class Copier {
  readonly #path: (string | number)[];
  readonly #issues: IssueList;

  constructor(path: Issue["path"], issues: IssueList) {
    this.#path = [...path];
    this.#issues = issues;
  }

  copy(value: unknown): JsonValue {
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
    if ("toJSON" in value && typeof value.toJSON === "function") {
      return this.copy(value.toJSON());
    }
    if (Array.isArray(value)) {
      return value.map((element, index) => this.#copyMember(index, element ?? null));
    }
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    for (const [key] of members) {
      this.#checkText(key);
    }
    // fromEntries defines own properties: a member called __proto__ stays plain data.
    return Object.fromEntries(members.map(([key, member]) => [key, this.#copyMember(key, member)]));
  }

  #copyMember(key: string | number, member: unknown): JsonValue {
    this.#path.push(key);
    const copy = this.copy(member);
    this.#path.pop();
    return copy;
  }

  #checkText(text: string): void {
    const issue = unstorable(text, this.#path);
    if (issue) {
      this.#add(issue);
    }
  }

  #add({ type, message }: Omit<Issue, "path">, path: Issue["path"] = this.#path): void {
    this.#issues.add(() => ({ path: [...path], type, message }));
  }
}
