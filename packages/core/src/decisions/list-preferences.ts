import {
  channelsOfType,
  INBOX_CHANNEL,
  isRequired,
  type NotificationType,
  type NotificationTypes,
  rulesOfType,
  typeLabel,
} from "../notifications/index.ts";
import { CHOICE_SCOPES, type Choice, Choices, type ChoiceValue, compareConditions, isDigestFrequency, sourceText } from "./choice.ts";
import type { StoredPreferences } from "./decisions-storage.ts";
import type { Settings } from "./settings.ts";

/** How a user gets a type over a channel. */
export interface ChannelPreference {
  readonly channel: string;
  readonly value: ChoiceValue;
  /**
   * Where the value came from: `required`, a choice such as `user type email`, `tenant category` or `locked all`, the declaration
   * of the `type`, or `default` where nobody said anything.
   */
  readonly source: string;
  /** Whether the user may choose otherwise. */
  readonly isChangeable: boolean;
}

/** How a user gets a type. */
export interface TypePreferences {
  readonly type: string;
  readonly label: string;
  /** Null for a type of no category. */
  readonly category: string | null;
  /** The channels over which the user can get it, in the type's order. */
  readonly channels: readonly ChannelPreference[];
}

/** A category of types that a user can get. */
export interface ListedCategory {
  readonly category: string;
  /** Its name for people. */
  readonly label: string;
}

/** Options of `preferences.list`. */
export interface PreferenceListOptions {
  /** The language of labels, as a BCP 47 tag. @default the user's, as the directory has it, else the service's */
  readonly locale?: string;
}

/** The preferences of a user. */
export interface PreferenceList {
  /** The declared types that the user can get, with what counts for each channel. Choices with conditions do not count here. */
  readonly types: readonly TypePreferences[];
  /** The categories of these types, in the order in which they come first. */
  readonly categories: readonly ListedCategory[];
  /** What the user chose explicitly, the most specific first. */
  readonly choices: readonly Choice[];
  /** What the user set; null for what was not set. */
  readonly settings: Settings;
}

/** The settings of somebody who set nothing. */
export const NO_SETTINGS: Settings = { timeZone: null, quietHours: null, pauseUntil: null, digest: null };

/** Puts together what counts for each declared type and each channel over which the user can be reached. */
export function typePreferences(
  { types, locale }: { readonly types: NotificationTypes; readonly locale: string },
  { tenant, user }: { readonly tenant: StoredPreferences["tenant"]; readonly user: readonly Choice[] },
  reachable: ReadonlySet<string>,
): readonly TypePreferences[] {
  // A choice with conditions counts for some notifications, and not for others.
  const choices = new Choices({ user: user.filter(isAlways), tenant: tenant.choices.filter(isAlways) });
  return Object.entries(types).flatMap(([type, declared]) => {
    const names = (channelsOfType(declared) ?? [INBOX_CHANNEL]).filter((channel) => channel === INBOX_CHANNEL || reachable.has(channel));
    const channels = names.map((channel) => channelPreference({ type, declared, channel }, choices));
    return channels.length === 0 ? [] : [{ type, label: typeLabel(types, type, locale), category: declared.category ?? null, channels }];
  });
}

/** The categories of types, each once. */
export function categoriesOf(types: readonly Pick<TypePreferences, "category">[]): readonly string[] {
  return [...new Set(types.flatMap(({ category }) => category ?? []))];
}

function isAlways({ when }: Choice): boolean {
  return when === null;
}

interface TypeChannel {
  readonly type: string;
  readonly declared: NotificationType;
  readonly channel: string;
}

function channelPreference({ type, declared, channel }: TypeChannel, choices: Choices): ChannelPreference {
  if (isRequired(declared, channel)) {
    return { channel, value: "on", source: "required", isChangeable: false };
  }
  const rules = rulesOfType(declared, channel);
  if (channel === INBOX_CHANNEL && rules.optional !== true) {
    return { channel, value: "on", source: "type", isChangeable: false };
  }
  const subject = { type, category: declared.category ?? null, topic: null, group: null, channel, data: {} };
  const { value, source, isChangeable } = choices.effective(subject, rules.default ?? null);
  // The inbox has no digests: a frequency for every channel switches it on.
  return { channel, value: channel === INBOX_CHANNEL && isDigestFrequency(value) ? "on" : value, source: sourceText(source), isChangeable };
}

/** Sorts choices: the most specific first, then by name, those for one channel before those for every channel, and those with conditions first. */
export function sortedChoices<Of extends Choice>(choices: readonly Of[]): readonly Of[] {
  const keyOf = ({ scope, name, channel }: Choice) => [CHOICE_SCOPES.indexOf(scope), name, channel ?? "\uffff"].join("\u0000");
  return [...choices].sort((left, right) => {
    const [key, other] = [keyOf(left), keyOf(right)];
    return key === other ? compareConditions(left.when, right.when) : key < other ? -1 : 1;
  });
}
