import type { Issue } from "../foundation/errors.ts";
import { type ChecksOf, type MembersOf, requireConfiguration, requireOptions } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import { type Check, describe, oneOf, whole } from "../foundation/parse-text.ts";
import { type ChannelContents, CONTENTS, requireContents } from "./channel-contents.ts";
import type { StoredTexts } from "./rendering.ts";

/** One notification among those of a digest. */
export interface DigestEntry<Data = JsonObject> extends StoredTexts {
  readonly notificationId: string;
  readonly type: string;
  /** Who caused it, or null. */
  readonly actor: string | null;
  readonly createdAt: Date;
  /** As the notification was created with it. */
  readonly data: Data;
}

/** What a function of a digest makes its texts from. */
export interface DigestSource<Data = JsonObject> {
  /** The notifications that are shown, oldest first: at most `maxItems`, texts and links in the recipient's language. */
  readonly entries: readonly DigestEntry<Data>[];
  /** How many notifications the digest has, those that are not shown among them. */
  readonly total: number;
  /** What `by` made of the data; empty without `by`, and for digests of a frequency that the user chose. */
  readonly key: string;
  /** The language to render in, as a BCP 47 tag such as `de` or `pt-BR`. */
  readonly locale: string;
  /** The user who gets it. */
  readonly user: { readonly id: string; readonly tenant: string };
  /** A link that switches these notifications off for the user; null where there is none. */
  readonly unsubscribeUrl: string | null;
}

/** A member of a digest's contents: its value, or a function that makes it for each attempt. */
export type DigestContent<Value, Data> = Value | ((source: DigestSource<Data>) => Value | Promise<Value>);

/** What a digest says over its channel: the members of {@link ChannelContents}, made of several notifications. */
export type DigestContents<Data = JsonObject> = {
  readonly [Member in keyof ChannelContents]?: DigestContent<Member extends "body" ? JsonObject : string, Data>;
};

/** What every digest of a type may say, however long its window is open. */
export interface DigestRules<Data = JsonObject> extends DigestContents<Data> {
  /** Says which notifications come together: those with the same text, 1 to 255 characters long. @default all of a user */
  readonly by?: (source: { readonly data: Data }) => string;
  /** How many of them are shown, 1 to 1,000. More are counted. @default 20 */
  readonly maxItems?: number;
  /** Whether those that are read by then stay in. @default false: they are left out */
  readonly keepRead?: boolean;
  /** How one that is left alone goes out: as it would without a digest, or as a digest of one. @default "plain" */
  readonly single?: "plain" | "digest";
  /**
   * Whether a notification with the priority `urgent` goes out by itself at once. One that comes beyond a `throttle` waits all the same, and so
   * does one where the user or the tenant chose how often digests come. @default false
   */
  readonly unlessUrgent?: boolean;
}

/** A digest whose window is open for some time after its first notification. */
export interface WindowDigest<Data = JsonObject> extends DigestRules<Data> {
  /** How long its window is open after the first notification, in milliseconds: 1 to 30 days. */
  readonly windowMs: number;
  /** `fixed` closes it then; `sliding` keeps it open as long after the last one, up to `maxWindowMs`. @default "fixed" */
  readonly window?: "fixed" | "sliding";
  /** The longest time that a sliding window is open, in milliseconds: `windowMs` or more, up to 30 days. A sliding window needs it. */
  readonly maxWindowMs?: number;
  /** Whether the first one goes out alone at once, and only those after it wait. @default false */
  readonly leading?: boolean;
  readonly frequency?: undefined;
}

/** A digest that comes at the user's local times, as one does whose frequency the user chose. */
export interface FrequencyDigest<Data = JsonObject> extends DigestRules<Data> {
  /** `hourly`: at the next full hour; `daily` and `weekly`: at 09:00, and on Monday, or as the user or the tenant set it. */
  readonly frequency: "hourly" | "daily" | "weekly";
  readonly windowMs?: undefined;
  readonly window?: undefined;
  readonly maxWindowMs?: undefined;
  readonly leading?: undefined;
}

/** How notifications of a type come together over a channel, and what they say there. */
export type TypeDigest<Data = JsonObject> = WindowDigest<Data> | FrequencyDigest<Data>;

/** How many notifications a digest shows if nothing else is said. */
export const DEFAULT_MAX_ITEMS = 20;

const MAX_MS = 30 * 24 * 60 * 60 * 1_000;

type GivenRules = Omit<TypeDigest, keyof ChannelContents>;

const isFlag: Check = oneOf([true, false]);

const RULES: ChecksOf<GivenRules> = {
  frequency: oneOf(["hourly", "daily", "weekly"]),
  windowMs: whole({ min: 1, max: MAX_MS }),
  window: oneOf(["fixed", "sliding"]),
  maxWindowMs: whole({ min: 1, max: MAX_MS }),
  by: (value, name) =>
    typeof value === "function" ? null : { path: [name], type: "value_error", message: `must be a function, is ${describe(value)}` },
  maxItems: whole({ min: 1, max: 1_000 }),
  leading: isFlag,
  keepRead: isFlag,
  single: oneOf(["plain", "digest"]),
  unlessUrgent: isFlag,
};

const MEMBERS: MembersOf<TypeDigest> = {
  ...CONTENTS,
  frequency: true,
  windowMs: true,
  window: true,
  maxWindowMs: true,
  by: true,
  maxItems: true,
  leading: true,
  keepRead: true,
  single: true,
  unlessUrgent: true,
};

/** The members that are about a window of some length. */
const OF_WINDOW = ["windowMs", "window", "maxWindowMs", "leading"] as const;

/** Checks the digest of a type over a channel. @param whose names both @throws BelfryError `CONFIGURATION` */
export function requireDigest(whose: string, digest: unknown): void {
  const of = `the digest of ${whose}`;
  requireOptions(of, digest, MEMBERS);
  const given = digest as TypeDigest<never>;
  for (const [member, check] of Object.entries(RULES)) {
    const value = given[member as keyof GivenRules];
    const isNeeded = member === "windowMs" && given.frequency === undefined;
    requireConfiguration(of, [value === undefined && !isNeeded ? null : check(value, member)]);
  }
  requireConfiguration(of, [windowIssue(given)]);
  requireContents(of, given);
}

function windowIssue(given: TypeDigest<never>): Issue | null {
  const issue = (message: string, member: string = "maxWindowMs"): Issue => ({ path: [member], type: "value_error", message });
  const { frequency, windowMs, window = "fixed", maxWindowMs } = given;
  if (frequency !== undefined) {
    const idle = OF_WINDOW.find((member) => given[member] !== undefined);
    return idle === undefined ? null : issue(`has no effect beside frequency: "${frequency}"; leave out one of them`, idle);
  }
  if (window === "fixed") {
    return maxWindowMs === undefined ? null : issue('has no effect on a fixed window; add window: "sliding", or leave it out');
  }
  return maxWindowMs !== undefined && maxWindowMs >= windowMs
    ? null
    : issue(`must be at least windowMs, ${windowMs}, for a sliding window; is ${maxWindowMs}`);
}
