import type { Issue } from "../foundation/errors.ts";
import { type Members, type MembersOf, requireMembers, requireNone, validationError } from "../foundation/issue-list.ts";
import { describeList, NAME_RULE, shown, textIssue } from "../foundation/parse-text.ts";
import { timeIssue as instantIssue, parsedTime } from "../foundation/parse-time.ts";
import { INBOX_CHANNEL } from "../notifications/index.ts";
import type { DecisionsContext } from "./context.ts";
import { coverWeek, isTimeZone, type QuietHours, WEEKDAYS } from "./local-time.ts";
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
  /**
   * Nothing but what is urgent is delivered before this time, a Date or ISO 8601 with a time zone, in the future. It is quiet hours
   * that begin now.
   */
  readonly pauseUntil?: Date | string | null;
}

const MAX_SPANS = 20;

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
  requireNone([(timeZone ?? null) === null ? null : timeZoneIssue(timeZone, ["timeZone"]), pauseIssue(pauseUntil, context.clock.now())]);
  return {
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(quietHours === undefined ? {} : { quietHours: parseQuietHours(context, quietHours) }),
    ...(pauseUntil === undefined ? {} : { pauseUntil: parsedTime(pauseUntil) }),
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
  const parsed = spans.map((span, index) => parseSpan(context, span, Array.isArray(given) ? ["quietHours", index] : ["quietHours"]));
  requireFreeMinute(parsed);
  return parsed;
}

/** Refuses spans that never end for a channel. Spans of different time zones are judged apart: how far they lie apart changes. */
function requireFreeMinute(spans: readonly QuietHours[]): void {
  for (const channel of [null, ...new Set(spans.flatMap(({ channels }) => channels ?? []))]) {
    const meant = spans.filter(({ channels }) => channels === undefined || (channel !== null && channels.includes(channel)));
    if ([...Map.groupBy(meant, ({ timeZone }) => timeZone).values()].some(coverWeek)) {
      const whom = channel === null ? "" : ` for ${channel}`;
      const message = `must leave at least a minute of the week free${whom}; they cover all of it, so what waits for their end would never go out`;
      throw wrong(["quietHours"], message);
    }
  }
}

function parseSpan({ channels: known }: DecisionsContext, given: unknown, path: Issue["path"]): QuietHours {
  requireMembers("quietHours", given, SPAN as Members);
  const { timeZone, from, to, days, channels } = given as QuietHours;
  requireNone([
    timeZone === undefined ? null : timeZoneIssue(timeZone, [...path, "timeZone"]),
    timeIssue(from, [...path, "from"]),
    timeIssue(to, [...path, "to"]),
    days === undefined ? null : namesIssue(days, [...path, "days"], dayIssue),
    channels === undefined ? null : channelsIssue(known, channels, [...path, "channels"]),
  ]);
  if (from === to) {
    throw wrong([...path, "to"], `must differ from its from, ${shown(from)}: a span that ends as it begins is empty, or never ends`);
  }
  return {
    ...(timeZone === undefined ? {} : { timeZone }),
    ...{ from, to },
    ...(days === undefined ? {} : { days: [...new Set(days)] }),
    ...(channels === undefined ? {} : { channels }),
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

function channelsIssue(known: DecisionsContext["channels"], value: unknown, path: Issue["path"]): Issue | null {
  const names: readonly unknown[] = Array.isArray(value) ? value : [];
  return namesIssue(value, path, (name, at) => {
    if (name === INBOX_CHANNEL) {
      return { path: at, type: "value_error", message: "must be a channel other than the inbox, which has no quiet hours" };
    }
    const isRepeated = names.indexOf(name) < Number(at.at(-1));
    return isRepeated ? { path: at, type: "value_error", message: `names ${shown(name)} twice` } : channelIssue(known, name as string, at);
  });
}

function pauseIssue(value: unknown, nowMs: number): Issue | null {
  if (value === undefined || value === null) {
    return null;
  }
  const issue = instantIssue(value, "pauseUntil");
  const until = issue === null ? parsedTime(value as Date | string) : null;
  return until === null || until.getTime() > nowMs
    ? issue
    : {
        path: ["pauseUntil"],
        type: "value_error",
        message: `must be a time in the future, or null to end a pause; is ${until.toISOString()}`,
      };
}

function wrong(path: Issue["path"], message: string): Error {
  return validationError([{ path, type: "value_error", message }]);
}
