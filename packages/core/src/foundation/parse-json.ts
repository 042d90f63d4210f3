import type { Issue } from "./errors.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { describe, unstorable } from "./parse-text.ts";

const MAX_DEPTH = 64;
const MAX_BYTES = 256 * 1024;

/**
 * Copies `value` into plain JSON, as `JSON.stringify` would write it (a Date becomes its ISO text, undefined members
 * are left out), and collects why it cannot be stored: not an object, nested deeper than 64, larger than 256 KiB, a
 * number that JSON has no form for, or a text no database keeps.
 */
export function parseJsonObject(
  value: unknown,
  path: Issue["path"],
): { readonly value: JsonObject } | { readonly issues: readonly Issue[] } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { issues: [{ path, type: "dict_type", message: `expected a JSON object, got ${describe(value)}` }] };
  }
  const issues: Issue[] = [];
  const copy = copyValue(value, path, issues);
  if (issues.length > 0) {
    return { issues };
  }
  const bytes = new TextEncoder().encode(JSON.stringify(copy)).length;
  if (bytes > MAX_BYTES) {
    return { issues: [{ path, type: "too_long", message: `must be at most ${MAX_BYTES} bytes as JSON, is ${bytes}` }] };
  }
  return { value: copy as JsonObject };
}

function copyValue(value: unknown, path: Issue["path"], issues: Issue[]): JsonValue {
  if (path.length > MAX_DEPTH) {
    issues.push({ path: path.slice(0, 3), type: "too_deep", message: `must not be nested deeper than ${MAX_DEPTH} levels` });
    return null;
  }
  if (value === null || typeof value === "boolean") {
    return value;
  }
  if (typeof value === "string") {
    const issue = unstorable(value, path);
    if (issue) {
      issues.push(issue);
    }
    return value;
  }
  if (typeof value === "number" && Number.isFinite(value)) {
    // JSON has no negative zero.
    return value === 0 ? 0 : value;
  }
  if (typeof value === "object") {
    return copyObject(value, path, issues);
  }
  issues.push({ path, type: "json_type", message: `${describe(value)} has no form in JSON` });
  return null;
}

function copyObject(value: object, path: Issue["path"], issues: Issue[]): JsonValue {
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return copyValue(value.toJSON(), path, issues);
  }
  if (Array.isArray(value)) {
    return value.map((element, index) => copyValue(element ?? null, [...path, index], issues));
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  for (const [key] of members) {
    const issue = unstorable(key, path);
    if (issue) {
      issues.push(issue);
    }
  }
  // fromEntries defines own properties: a member called __proto__ stays plain data.
  return Object.fromEntries(members.map(([key, member]) => [key, copyValue(member, [...path, key], issues)]));
}
