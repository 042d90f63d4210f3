import { cut } from "./bounds.ts";
import type { Issue } from "./errors.ts";

/**
 * `text` as it is compared without regard to case: in lower case, and with one form of sigma. Lower-casing alone makes
 * another letter of a sigma at the end of a word, so that a part of a word would not be found in the whole.
 */
export function foldCase(text: string): string {
  return text.toLowerCase().replaceAll("ς", "σ");
}

/** The rule for the length of a text. */
export interface TextRule {
  readonly minLength?: number;
  /** In code points, so that an emoji counts once. */
  readonly maxLength: number;
}

/** The rule for tenant and user ids, types, sources and senders. */
export const NAME_RULE: TextRule = { minLength: 1, maxLength: 255 };
/** What items of an inbox have in common. An index holds it beside the tenant and the user: a longer one might not fit. */
export const GROUP_RULE: TextRule = { minLength: 1, maxLength: 100 };
/** The rule for titles. */
export const TITLE_RULE: TextRule = { maxLength: 1_000 };
/** The rule for messages. */
export const MESSAGE_RULE: TextRule = { maxLength: 10_000 };

/** Checks a title that a channel delivers: it may become the header of a mail. */
export const oneLineTitleIssue: Check = (title, name) =>
  textIssue(title, [name], TITLE_RULE) ??
  (/[\r\n]/.test(title as string) ? { path: [name], type: "value_error", message: "must be one line" } : null);

/** Checks that `value` is a text that every storage keeps unchanged, and says why not. */
export function textIssue(value: unknown, path: Issue["path"], rule: TextRule): Issue | null {
  if (typeof value !== "string") {
    return noString(value, path);
  }
  if (value.length < (rule.minLength ?? 0)) {
    return { path, type: "string_too_short", message: "must not be empty" };
  }
  const length = codePoints(value, rule.maxLength);
  if (length > rule.maxLength) {
    return { path, type: "string_too_long", message: `must have at most ${rule.maxLength} characters, has ${length}` };
  }
  return unstorable(value, path);
}

/** The same for a text that may be left out: undefined and null stand for none. */
export function optionalTextIssue(value: unknown, path: Issue["path"], rule: TextRule): Issue | null {
  return value === undefined || value === null ? null : textIssue(value, path, rule);
}

/** A NUL or half a surrogate pair is refused everywhere: PostgreSQL cannot keep the one, UTF-8 cannot carry the other. */
export function unstorable(value: string, path: Issue["path"]): Issue | null {
  if (value.length <= SHORT && isSimple(value)) {
    return null;
  }
  if (value.includes("\u0000")) {
    return { path, type: "string_nul", message: "must not contain the NUL character (U+0000)" };
  }
  if (!value.isWellFormed()) {
    return { path, type: "string_unicode", message: "must be well-formed Unicode, but contains half of a surrogate pair" };
  }
  return null;
}

/** Up to this length, a loop is faster than the functions of the language. */
const SHORT = 24;

/** Whether a text has neither a NUL nor a surrogate. */
function isSimple(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === 0 || unit >= 0xd800) {
      return false;
    }
  }
  return true;
}

const LINK_SCHEMES: readonly string[] = ["http:", "https:", "mailto:"];

/** Checks that a text that clients show as a link leads to the web, to a mailbox, or to a path of the host's own application. */
export function linkIssue(value: string, path: Issue["path"]): Issue | null {
  // A browser resolves the text in the same way, leading spaces and line breaks included.
  const base = "https://application.invalid/";
  if (URL.canParse(value, base) && LINK_SCHEMES.includes(new URL(value, base).protocol)) {
    return null;
  }
  const shown = JSON.stringify(value.slice(0, 64));
  return { path, type: "url_scheme", message: `must be a path, or begin with https://, http:// or mailto:; is ${shown}` };
}

const URL_RULE: TextRule = { minLength: 1, maxLength: 2_048 };

/** Checks where a notification or an action leads. */
export function urlIssue(url: unknown, path: Issue["path"]): Issue | null {
  return textIssue(url, path, URL_RULE) ?? linkIssue(url as string, path);
}

/** The number of code points of `text`. Counts only where the number of UTF-16 units leaves it open. */
export function codePoints(text: string, enough: number): number {
  if (text.length <= enough) {
    return text.length;
  }
  let count = 0;
  for (const _ of text) {
    count += 1;
  }
  return count;
}

/** Whether a text that begins like `2030-01-31` names a day that the calendar has. Dates that it lacks would be read as later ones. */
export function isCalendarDay(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  // Leap years repeat every 400 years, and years below 100 would be read as 19xx.
  const at = new Date(Date.UTC(2000 + (year % 400), month - 1, day));
  return at.getUTCMonth() === month - 1 && at.getUTCDate() === day;
}

/** Names the kind of `value` for an error message, without showing it. */
export function describe(value: unknown): string {
  if (value === null) {
    return "null";
  }
  if (Array.isArray(value)) {
    return "an array";
  }
  if (typeof value !== "object" || isPlain(value)) {
    return typeof value;
  }
  const { name } = (value.constructor ?? {}) as { readonly name?: unknown };
  return typeof name === "string" && name !== "" ? `an instance of ${cut(name)}` : "object";
}

/** Names the kind of `value` where a list with something in it was expected. */
export function describeList(value: unknown): string {
  return Array.isArray(value) && value.length === 0 ? "an empty list" : describe(value);
}

/** Whether an object is no instance of a class: `{ … }`, of this realm or another, or made without a prototype. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Shows a value for an error message: the beginning of a text, a number, a time; of anything else its kind. */
export function shown(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(cut(value));
  }
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? "an invalid Date" : value.toISOString();
  }
  return typeof value === "number" ? String(value) : describe(value);
}

/** Says what is wrong with the member `name` of an input; null if nothing is. */
export type Check = (value: unknown, name: string) => Issue | null;

/** Checks that a member is a text, whichever: enough for one that is only looked up. */
export const stringIssue: Check = (value, name) => (typeof value === "string" ? null : noString(value, [name]));

function noString(value: unknown, path: Issue["path"]): Issue {
  return { path, type: value === undefined ? "missing" : "string_type", message: `expected a string, got ${describe(value)}` };
}

/** Checks that a member is a number, whichever. */
export const numberIssue: Check = (value, name) =>
  typeof value === "number" ? null : { path: [name], type: "range", message: `must be a number, is ${shown(value)}` };

/** Makes the check of a member that is a text; see {@link textIssue}. */
export function text(rule: TextRule): Check {
  return (value, name) => textIssue(value, [name], rule);
}

/** Makes the check of a member that is a whole number from `min`, to `max` if there is one. */
export function whole({ min, max }: { readonly min: number; readonly max?: number }): Check {
  const bounds = max === undefined ? `${min}` : `${min} to ${max}`;
  return (value, name) => {
    const isFine = Number.isSafeInteger(value) && (value as number) >= min && (max === undefined || (value as number) <= max);
    return isFine ? null : { path: [name], type: "range", message: `must be a whole number from ${bounds}, is ${shown(value)}` };
  };
}

/** Makes the check of a member that is one of `values`. */
export function oneOf(values: readonly unknown[]): Check {
  const rule = values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(", ")}`;
  return (value, name) => {
    const is = typeof value === "boolean" ? String(value) : shown(value);
    return values.includes(value) ? null : { path: [name], type: "enum", message: `${rule}, is ${is}` };
  };
}
