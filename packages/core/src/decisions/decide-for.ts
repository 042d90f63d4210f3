import { INBOX_CHANNEL, isRequired, type Notification, type NotificationType, rulesOfType } from "../notifications/index.ts";
import { type EffectiveChoice, isDigestFrequency } from "./choice.ts";
import { type ChannelRules, type Decision, type DecisionState, decision, explainDecision, type RuleResults } from "./decide.ts";
import type { UserPreferences } from "./preferences-of.ts";

/** The notification and the channel that it is decided about. */
export interface DecisionSubject {
  readonly notification: Pick<Notification, "type" | "category" | "priority" | "data" | "createdAt" | "expiresAt">;
  /** The declaration of its type, undefined for none. */
  readonly declared: NotificationType | undefined;
  readonly channel: string;
  readonly scheduledAt: Date | null;
  readonly topic: string | null;
  readonly group: string | null;
}

/** What is known of the user when it is decided; null for what is not known yet. */
export interface DecisionFacts
  extends Pick<DecisionState, "now" | "address" | "isRead" | "isOnline" | "meetsCondition" | "isWithinThrottle"> {
  /**
   * The time zone that the host's directory has for the user, null for none. With undefined, quiet hours are not asked: something
   * that comes before them is not known yet, and both are decided when the delivery is claimed.
   */
  readonly timeZone: string | null | undefined;
}

/** Whether a user's choices count for a channel of a type: for the inbox only where the type says so. */
export function obeysChoices(declared: NotificationType | undefined, channel: string): boolean {
  return channel !== INBOX_CHANNEL || rulesOfType(declared, channel).optional === true;
}

/** Decides for one user: see `decide`. */
export function decideFor(
  subject: DecisionSubject,
  { preferences, facts }: { readonly preferences: UserPreferences; readonly facts: DecisionFacts },
  when: "creation" | "claim",
): Decision {
  return decision(explainFor(subject, { preferences, facts }, when));
}

/** Whether a user wants a notification of an optional type in the inbox. */
export function wantsItem(
  notification: DecisionSubject["notification"] & { readonly group: string | null },
  declared: NotificationType,
  preferences: UserPreferences,
): boolean {
  const subject = { notification, declared, channel: INBOX_CHANNEL, scheduledAt: null, topic: null, group: notification.group };
  const facts = {
    ...{ now: notification.createdAt.getTime(), timeZone: null, address: null, isRead: null, isOnline: null },
    ...{ meetsCondition: null, isWithinThrottle: true },
  };
  return decideFor(subject, { preferences, facts }, "creation").reason !== "preference";
}

/** Decides as {@link decideFor} does, and returns the result of each rule that was asked. */
export function explainFor(
  subject: DecisionSubject,
  known: { readonly preferences: UserPreferences; readonly facts: DecisionFacts },
  when: "creation" | "claim",
): RuleResults {
  return explainDecision(channelRules(subject), stateFor(subject, known), when);
}

function channelRules({ declared, channel, notification }: DecisionSubject): ChannelRules {
  const { afterMs = 0, unlessRead = false, unlessOnline = false, throttle, digest } = rulesOfType(declared, channel);
  const isOfInbox = channel === INBOX_CHANNEL;
  return {
    isRequired: declared !== undefined && isRequired(declared, channel),
    isUrgent: notification.priority === "urgent",
    ...{ afterMs, unlessRead, unlessOnline },
    hasDigest: digest !== undefined && !isOfInbox,
    digestUnlessUrgent: digest?.unlessUrgent === true,
    hasThrottle: throttle !== undefined && !isOfInbox,
  };
}

function stateFor(
  subject: DecisionSubject,
  { preferences: { choices, settings }, facts }: { readonly preferences: UserPreferences; readonly facts: DecisionFacts },
): DecisionState {
  const { notification, declared, channel, scheduledAt, topic, group } = subject;
  const { timeZone, ...known } = facts;
  const about = {
    type: notification.type,
    category: notification.category ?? declared?.category ?? null,
    topic,
    group,
    channel,
    data: notification.data,
  };
  return {
    ...known,
    createdAt: notification.createdAt.getTime(),
    scheduledAt: scheduledAt?.getTime() ?? null,
    expiresAt: notification.expiresAt?.getTime() ?? null,
    // A muted subscription counts as absent, for the inbox too.
    isMuted: topic !== null && choices.hasMuted(topic),
    choice: obeysChoices(declared, channel)
      ? asFarAsMeant(channel, choices.effective(about, rulesOfType(declared, channel).default ?? null))
      : NO_CHOICE,
    pauseUntil: settings.pauseUntil,
    quietUntil: (at) =>
      timeZone === undefined || channel === INBOX_CHANNEL
        ? null
        : settings.quietUntil(at, { channel, timeZone: settings.timeZone(timeZone) }),
  };
}

const NO_CHOICE: EffectiveChoice = { value: "on", source: { of: "type" }, isChangeable: false };

/** An inbox has no digests: a frequency switches it on. */
function asFarAsMeant(channel: string, choice: EffectiveChoice): EffectiveChoice {
  return channel === INBOX_CHANNEL && isDigestFrequency(choice.value) ? { ...choice, value: "immediate" } : choice;
}
