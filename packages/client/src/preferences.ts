import type { Ask } from "./http.ts";
import type { JsonObject } from "./item.ts";
import type { Result } from "./result.ts";

/** What a user may choose: on, off, or how often. */
export type ChoiceValue = "on" | "off" | "immediate" | "hourly" | "daily" | "weekly";

/** What a choice is about: one of these, over one channel or all of them. */
export interface ChoiceTarget {
  readonly all?: true;
  readonly category?: string;
  readonly type?: string;
  readonly topic?: string;
  readonly group?: string;
  /** @default every channel */
  readonly channel?: string;
  /** Conditions on the notification's data. */
  readonly when?: JsonObject;
}

/** A choice that the user made. */
export interface Choice {
  readonly scope: "group" | "topic" | "type" | "category" | "all";
  /** Empty for `all`. */
  readonly name: string;
  /** Null for every channel. */
  readonly channel: string | null;
  readonly when: JsonObject | null;
  readonly value: ChoiceValue;
}

/** A day of the week. */
export type Weekday = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

/** A span of local time in which nothing is delivered but what is urgent. */
export interface QuietHours {
  readonly timeZone?: string;
  /** A time of day, such as `22:00`. */
  readonly from: string;
  readonly to: string;
  /** The days on which it begins. @default all */
  readonly days?: readonly Weekday[];
  /** @default every channel */
  readonly channels?: readonly string[];
}

/** When the user wants to get what they get. */
export interface Settings {
  readonly timeZone: string | null;
  readonly quietHours: readonly QuietHours[] | null;
  /** ISO 8601. */
  readonly pauseUntil: string | null;
  readonly digest: { readonly at: string; readonly weekday: Weekday } | null;
}

/** Changes of settings. What is left out stays, null takes back. */
export interface SettingsInput {
  readonly timeZone?: string | null;
  readonly quietHours?: QuietHours | readonly QuietHours[] | null;
  readonly pauseUntil?: Date | string | null;
  readonly digest?: { readonly at?: string; readonly weekday?: Weekday } | null;
}

/** What counts for one type and channel, where it came from, and whether the user may change it. */
export interface ChannelPreference {
  readonly channel: string;
  readonly value: ChoiceValue;
  readonly source: string;
  readonly isChangeable: boolean;
}

/** All that the user may choose, and what counts now. */
export interface PreferenceList {
  readonly types: readonly {
    readonly type: string;
    readonly label: string;
    readonly category: string | null;
    readonly channels: readonly ChannelPreference[];
  }[];
  readonly categories: readonly { readonly category: string; readonly label: string }[];
  readonly choices: readonly Choice[];
  readonly settings: Settings;
}

/** What to explain. */
export interface ExplainInput {
  readonly type: string;
  readonly data?: JsonObject;
  readonly topic?: string;
  readonly group?: string;
}

/** What becomes of a notification, and whose decision that is. */
export interface ExplainedDecision {
  readonly outcome: "deliver" | "digest" | "skip";
  readonly at: string | null;
  readonly reason: string;
  readonly source: string;
}

/** What would become of a notification over one channel. */
export interface Explanation extends ExplainedDecision {
  readonly channel: string;
  readonly digest: {
    readonly key: string;
    readonly frequency: string | null;
    readonly closesAt: string;
    readonly leads: boolean;
  } | null;
  readonly rules: readonly { readonly rule: string; readonly decision: ExplainedDecision | null }[];
}

/**
 * Reads and changes what the user wants to get. Each call resolves with what counts by then, or with the error. It never rejects.
 *
 * @example
 * ```ts
 * await client.preferences.set({ category: "social", channel: "email" }, "daily");
 * ```
 */
export class Preferences {
  readonly #ask: Ask;
  readonly #locale: string | undefined;

  /** Hosts do not call this. They use `inbox.preferences`. */
  constructor(ask: Ask, locale: string | undefined) {
    this.#ask = ask;
    this.#locale = locale;
  }

  /** Reads what counts for each type and channel, and where it came from. */
  get(): Promise<Result<PreferenceList>> {
    return this.#about("");
  }

  /** Makes a choice, in place of an earlier one about the same. */
  set(target: ChoiceTarget, value: ChoiceValue): Promise<Result<PreferenceList>> {
    return this.#about("/choice", "PUT", { ...target, value });
  }

  /** Takes a choice back. */
  takeBack(target: ChoiceTarget): Promise<Result<PreferenceList>> {
    return this.#about("/choice", "PUT", { ...target, value: null });
  }

  /** Changes the time zone, quiet hours, the pause or the time of digests. */
  setSettings(settings: SettingsInput): Promise<Result<PreferenceList>> {
    return this.#about("/settings", "PATCH", settings);
  }

  /** Explains what would become of a notification, channel by channel. */
  explain(input: ExplainInput): Promise<Result<readonly Explanation[]>> {
    return this.#ask("/preferences/explain", { method: "POST", body: input });
  }

  #about(path: string, method = "GET", body?: object): Promise<Result<PreferenceList>> {
    return this.#ask(`/preferences${path}`, { method, body, query: { locale: this.#locale } });
  }
}
