import type { Issue } from "../foundation/errors.ts";
import { type Members, type MembersOf, requireMembers, requireNone, validationError } from "../foundation/issue-list.ts";
import { describeList, NAME_RULE, shown, textIssue } from "../foundation/parse-text.ts";
import type { DecisionsContext } from "./context.ts";
import { isTimeZone, type QuietHours, WEEKDAYS } from "./local-time.ts";
import { channelIssue } from "./parse-preferences.ts";
import { DEFAULT_DIGEST, type DigestSettings, type Settings } from "./settings.ts";

/** Settings of a tenant to change for all its users. What is left out stays; null takes a setting back. */
export interface DefaultSettingsInput {
  /** An IANA time zone, such as `Europe/Berlin`. */
  readonly timeZone?: string | null;
  /** When nothing but what is urgent is delivered, in local time: one span or several, 20 at the most. */
  readonly quietHours?: QuietHours | readonly QuietHours[] | null;
  /** When digests of a day and of a week come, in local time. @default at 09:00, and on Monday */
  readonly digest?: Partial<DigestSettings> | null;
}

/** Settings of a user to change. What is left out stays; null takes a setting back. */
export interface SettingsInput extends DefaultSettingsInput {
  /** Nothing but what is urgent is delivered before this time. It is quiet hours that begin now. */
  readonly pauseUntil?: Date | null;
}

const MAX_SPANS = 20;
const MAX_MS = Date.UTC(10_000, 0) - 1;

const DEFAULTS: MembersOf<DefaultSettingsInput> = { timeZone: true, quietHours: true, digest: true };
const SETTINGS: MembersOf<SettingsInput> = { ...DEFAULTS, pauseUntil: true };
const SPAN: MembersOf<QuietHours> = { timeZone: true, from: true, to: true, days: true, channels: true };
const DIGEST: MembersOf<DigestSettings> = { at: true, weekday: true };

/** Settings to read, and whose they are. */
interface ParsedSettings {
  readonly what: string;
  readonly input: SettingsInput;
  readonly isDefault: boolean;
}

/** Reads changes of settings: those that were given. @throws BelfryError `VALIDATION_ERROR` */
export function parseSettings(context: DecisionsContext, { what, input, isDefault }: ParsedSettings): Partial<Settings> {
  requireMembers(what, input, isDefault ? DEFAULTS : SETTINGS);
  const { timeZone, quietHours, pauseUntil, digest } = input;
  requireNone([(timeZone ?? null) === null ? null : timeZoneIssue(timeZone, ["timeZone"]), pauseIssue(pauseUntil)]);
  return {
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(quietHours === undefined ? {} : { quietHours: parseQuietHours(context, quietHours) }),
    ...(pauseUntil === undefined ? {} : { pauseUntil }),
    ...(digest === undefined ? {} : { digest: parseDigest(digest) }),
  };
}

function parseQuietHours(context: DecisionsContext, given: QuietHours | readonly QuietHours[] | null): readonly QuietHours[] | null {
  if (given === null) {
    return null;
  }
  const spans: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (spans.length > MAX_SPANS) {
    throw wrong(["quietHours"], `must have at most ${MAX_SPANS} spans, has ${spans.length}`);
  }
  return spans.map((span, index) => parseSpan(context, span, Array.isArray(given) ? ["quietHours", index] : ["quietHours"]));
}

function parseSpan({ channels: known }: DecisionsContext, given: unknown, path: Issue["path"]): QuietHours {
  requireMembers("quietHours", given, SPAN as Members);
  const { timeZone, from, to, days, channels } = given as QuietHours;
  requireNone([
    timeZone === undefined ? null : timeZoneIssue(timeZone, [...path, "timeZone"]),
    timeIssue(from, [...path, "from"]),
    timeIssue(to, [...path, "to"]),
    days === undefined ? null : namesIssue(days, [...path, "days"], dayIssue),
    channels === undefined ? null : namesIssue(channels, [...path, "channels"], (name, at) => channelIssue(known, name as string, at)),
  ]);
  if (from === to) {
    throw wrong([...path, "to"], `must differ from its from, ${shown(from)}: a span that ends as it begins is empty, or never ends`);
  }
  return {
    ...(timeZone === undefined ? {} : { timeZone }),
    ...{ from, to },
    ...(days === undefined ? {} : { days: [...new Set(days)] }),
    ...(channels === undefined ? {} : { channels: [...new Set(channels)] }),
  };
}

function parseDigest(given: Partial<DigestSettings> | null): DigestSettings | null {
  if (given === null) {
    return null;
  }
  requireMembers("digest", given, DIGEST);
  const { at = DEFAULT_DIGEST.at, weekday = DEFAULT_DIGEST.weekday } = given;
  requireNone([timeIssue(at, ["digest", "at"]), dayIssue(weekday, ["digest", "weekday"])]);
  return { at, weekday };
}

function timeZoneIssue(value: unknown, path: Issue["path"]): Issue | null {
  const issue = textIssue(value, path, NAME_RULE);
  return issue !== null || isTimeZone(value as string)
    ? issue
    : { path, type: "value_error", message: `must be an IANA time zone such as "Europe/Berlin", is ${shown(value)}` };
}

function timeIssue(value: unknown, path: Issue["path"]): Issue | null {
  return typeof value === "string" && /^(?:[01]\d|2[0-3]):[0-5]\d$/.test(value)
    ? null
    : { path, type: "value_error", message: `must be a local time from "00:00" to "23:59", is ${shown(value)}` };
}

function dayIssue(value: unknown, path: Issue["path"]): Issue | null {
  return (WEEKDAYS as readonly unknown[]).includes(value)
    ? null
    : { path, type: "enum", message: `must be one of ${WEEKDAYS.join(", ")}, is ${shown(value)}` };
}

function namesIssue(value: unknown, path: Issue["path"], check: (name: unknown, path: Issue["path"]) => Issue | null): Issue | null {
  if (!Array.isArray(value) || value.length === 0) {
    return { path, type: "list_type", message: `must be a list of one or more, or left out for all, is ${describeList(value)}` };
  }
  return value.map((name: unknown, index) => check(name, [...path, index])).find((issue) => issue !== null) ?? null;
}

function pauseIssue(value: unknown): Issue | null {
  const isFine = value === undefined || value === null || (value instanceof Date && value.getTime() >= 0 && value.getTime() <= MAX_MS);
  return isFine
    ? null
    : { path: ["pauseUntil"], type: "value_error", message: `must be a Date from the year 1970 to 9999, is ${shown(value)}` };
}

function wrong(path: Issue["path"], message: string): Error {
  return validationError([{ path, type: "value_error", message }]);
}
