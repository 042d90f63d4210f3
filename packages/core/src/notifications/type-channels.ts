import type { Issue } from "../foundation/errors.ts";
import { type ChecksOf, type MembersOf, requireConfiguration, requireOptions } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import { type Check, describe, describeList, isPlain, oneOf, shown, whole } from "../foundation/parse-text.ts";
import { type ChannelContents, CONTENTS, membersOf, requireContents } from "./channel-contents.ts";
import { requireDigest, type TypeDigest } from "./type-digest.ts";

/** What a type's own condition is asked about. */
export interface ConditionSource<Data = JsonObject> {
  /** The user who would get it. */
  readonly user: { readonly id: string; readonly tenant: string };
  /** The data as it is stored: what the type's schema made of it, as JSON. */
  readonly data: Data;
}

/** How often a user may be told of a type over a channel: `max` at once, then one for each `perMs / max`. */
export interface TypeThrottle {
  /** How many may come at once, 1 to 10,000. */
  readonly max: number;
  /** In milliseconds, at most 30 days. */
  readonly perMs: number;
}

/** The rules by which users get a type over one channel, and what it says there. */
export interface ChannelDeclaration<Data = JsonObject> extends ChannelContents<Data> {
  /** How long it waits after the notification was created, in milliseconds; at most 30 days. @default 0 */
  readonly afterMs?: number;
  /** Whether it is skipped when the user has read the notification, archived or removed it by then. @default false */
  readonly unlessRead?: boolean;
  /** Whether it is skipped when the user has an open socket or stream by then. @default false */
  readonly unlessOnline?: boolean;
  /**
   * Asked right before each delivery, within the channel's time; if it answers false, the delivery is skipped. One that throws or
   * takes too long fails the attempt, which is repeated. @default always
   */
  readonly when?: (source: ConditionSource<Data>) => boolean | Promise<boolean>;
  /** What goes beyond it waits for the digest, and is skipped without one. @default as often as there are notifications */
  readonly throttle?: TypeThrottle;
  /**
   * Bundles notifications that come within a time into one. A user who wants them at once, or more seldom, may choose so; a
   * required channel has no digest. @default each goes out by itself
   */
  readonly digest?: TypeDigest<Data>;
  /** Whether users get it who chose nothing, and whose tenant chose nothing. @default "on" */
  readonly default?: "on" | "off";
  /** Of the inbox alone: whether users can switch it off. @default false */
  readonly optional?: boolean;
}

/** The channels of a type: their names, or the rules of each by its name; `true` for one without rules. */
export type TypeChannels<Data = JsonObject, Channel extends string = string> =
  | readonly Channel[]
  | (string extends Channel
      ? { readonly [channel: string]: true | ChannelDeclaration<Data> }
      : { readonly [Name in Channel]?: true | ChannelDeclaration<Data> });

/** The parts of a type that say over which channels users get it. */
export interface TypeReach<Data = JsonObject> {
  /**
   * What users switch on and off together: several types may share a category. At most 255 characters.
   * @default none
   */
  readonly category?: string;
  /** Whether it reaches users whatever they chose: over all of its channels, or over these. @default false */
  readonly required?: boolean | readonly string[];
  /** The channels that these notifications go to, the first one first. @default the inbox alone */
  readonly channels?: TypeChannels<Data>;
}

/** The name of the channel that is the inbox itself. */
export const INBOX_CHANNEL = "inbox";

const MAX_MS = 30 * 24 * 60 * 60 * 1_000;

const THROTTLE: ChecksOf<TypeThrottle> = { max: whole({ min: 1, max: 10_000 }), perMs: whole({ min: 1, max: MAX_MS }) };

const isFlag: Check = oneOf([true, false]);

type ChannelRules = Omit<ChannelDeclaration, keyof ChannelContents | "digest">;

const RULES: ChecksOf<ChannelRules> = {
  afterMs: whole({ min: 0, max: MAX_MS }),
  unlessRead: isFlag,
  unlessOnline: isFlag,
  when: (value, name) =>
    typeof value === "function" ? null : { path: [name], type: "value_error", message: `must be a function, is ${describe(value)}` },
  throttle: (value, name) => throttleIssue(value, name),
  default: oneOf(["on", "off"]),
  optional: isFlag,
};

const OF_INBOX: MembersOf<Pick<ChannelDeclaration, "optional" | "default">> = { default: true, optional: true };
const { optional: _, ...OF_OTHERS }: MembersOf<ChannelDeclaration> = {
  ...CONTENTS,
  afterMs: true,
  unlessRead: true,
  unlessOnline: true,
  when: true,
  throttle: true,
  digest: true,
  default: true,
  optional: true,
};

/** Checks the channels of a type. @param whose names the type @throws BelfryError `CONFIGURATION` */
export function requireChannels(whose: string, type: TypeReach<never>): void {
  const { channels, required } = type;
  const names = channels === undefined ? [INBOX_CHANNEL] : namesOf(channels);
  if (names === null) {
    const message = `must be a list of names, or an object of them such as { inbox: true, email: { unlessRead: true } }, is ${describeList(channels)}`;
    requireConfiguration(whose, [{ path: ["channels"], type: "list_type", message }]);
  } else if (!Array.isArray(channels)) {
    for (const [name, rules] of Object.entries(channels ?? {})) {
      requireRules(`the channel ${shown(name)} of ${whose}`, name, rules);
    }
  }
  requireConfiguration(whose, [requiredIssue(required, names ?? [])]);
  requireConfiguration(whose, effectIssues(type, names ?? []));
}

/** What a type declares twice, or without any effect. */
function effectIssues(type: TypeReach<never>, names: readonly string[]): readonly Issue[] {
  const { required } = type;
  const issue = (path: Issue["path"], message: string): Issue => ({ path, type: "value_error", message });
  const lists = { channels: names, required: Array.isArray(required) ? required : [] };
  const twice = Object.entries(lists).flatMap(([member, list]) => {
    const repeated = list.find((name, index) => list.indexOf(name) < index);
    return repeated === undefined ? [] : [issue([member], `names ${shown(repeated)} twice`)];
  });
  const idle = names.flatMap((name) => {
    const { default: byType, optional = false, unlessRead = false, digest } = rulesOfType(type, name);
    return [
      digest !== undefined && isRequired(type, name)
        ? issue(["channels", name, "digest"], `has no effect where ${name} is required; leave out one of them`)
        : [],
      unlessRead && !names.includes(INBOX_CHANNEL)
        ? issue(["channels", name, "unlessRead"], "has no effect, since the type has no inbox in which it could be read; add inbox: true")
        : [],
      byType === "off" && isRequired(type, name)
        ? issue(["channels", name, "default"], `has no effect where ${name} is required; leave out one of them`)
        : [],
      byType === "off" && name === INBOX_CHANNEL && !optional
        ? issue(["channels", name, "default"], "has no effect, since nobody can switch this inbox on or off; add optional: true")
        : [],
    ].flat();
  });
  return [...twice, ...idle];
}

/** The names of a type's channels in their order; null for what is none. */
function namesOf(channels: unknown): readonly string[] | null {
  const isTable = typeof channels === "object" && channels !== null && !Array.isArray(channels) && isPlain(channels);
  const names: unknown = isTable ? Object.keys(channels) : channels;
  return Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === "string") ? names : null;
}

function requireRules(whose: string, name: string, rules: unknown): void {
  if (rules === true) {
    return;
  }
  requireOptions(whose, rules, name === INBOX_CHANNEL ? OF_INBOX : OF_OTHERS);
  const given = rules as ChannelDeclaration<never>;
  for (const [member, check] of Object.entries(RULES)) {
    const value = given[member as keyof ChannelRules];
    requireConfiguration(whose, [value === undefined ? null : check(value, member)]);
  }
  requireContents(whose, given);
  if (given.digest !== undefined) {
    requireDigest(whose, given.digest);
  }
}

function throttleIssue(value: unknown, name: string): Issue | null {
  const { max, perMs } = (typeof value === "object" && value !== null ? value : {}) as Partial<TypeThrottle>;
  const isFine = THROTTLE.max(max, "max") === null && THROTTLE.perMs(perMs, "perMs") === null && Object.keys(value as object).length === 2;
  const message = `must be { max, perMs }: max a whole number from 1 to 10000, perMs one from 1 to ${MAX_MS}; is ${JSON.stringify(value)?.slice(0, 100)}`;
  return isFine ? null : { path: [name], type: "value_error", message };
}

function requiredIssue(required: unknown, names: readonly string[]): Issue | null {
  if (required === undefined || typeof required === "boolean") {
    return null;
  }
  if (!Array.isArray(required) || required.length === 0) {
    return { path: ["required"], type: "value_error", message: `must be true, false or a list of channels, is ${describeList(required)}` };
  }
  const stranger = required.find((name) => !names.includes(name));
  const message = `names ${shown(stranger)}, which is not among its channels ${names.join(", ")}`;
  return stranger === undefined ? null : { path: ["required"], type: "value_error", message };
}

/** The names of the channels that a type declares, in their order; undefined for none. */
export function channelsOfType(type: TypeReach<never> | undefined): readonly string[] | undefined {
  const channels = type?.channels;
  return channels === undefined || Array.isArray(channels) ? channels : Object.keys(channels);
}

const NO_RULES: ChannelDeclaration<never> = {};

/** The rules that a type declares for a channel: none, if it has none. */
export function rulesOfType(type: TypeReach<never> | undefined, channel: string): ChannelDeclaration<never> {
  const channels = type?.channels;
  if (channels === undefined || Array.isArray(channels) || !Object.hasOwn(channels, channel)) {
    return NO_RULES;
  }
  const rules = (channels as Readonly<Record<string, true | ChannelDeclaration<never>>>)[channel];
  return rules === undefined || rules === true ? NO_RULES : rules;
}

/** Whether a type says something of its own over a channel; without a channel, over any. */
export function hasContents(type: TypeReach<never> | undefined, channel?: string): boolean {
  const channels = type?.channels;
  if (channels === undefined || Array.isArray(channels)) {
    return false;
  }
  const names = channel === undefined ? Object.keys(channels) : [channel];
  return names.some((name) => membersOf(rulesOfType(type, name)).length > 0);
}

/** Whether a type reaches users over a channel whatever they chose. */
export function isRequired({ required = false }: TypeReach<never>, channel: string): boolean {
  return typeof required === "boolean" ? required : required.includes(channel);
}
