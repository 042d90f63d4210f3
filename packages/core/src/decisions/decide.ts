import { type ChoiceScope, type EffectiveChoice, type Frequency, isDigestFrequency, sourceText } from "./choice.ts";

/** Why a delivery is skipped, and kept with this reason. */
export type SkipReason =
  | "expired"
  | "no_address"
  | "suppressed"
  | "preference"
  | "read"
  | "online"
  | "condition"
  | "throttled"
  | "same_address";

/** How often a digest of a chosen frequency comes. */
export type DigestFrequency = Exclude<Frequency, "immediate">;

/** The digest that a notification waits in: of a frequency that was chosen for a group, topic, type, category or everything, or of its type. */
export type DigestPlan =
  | { readonly by: "choice"; readonly frequency: DigestFrequency; readonly scope: ChoiceScope; readonly name: string }
  | { readonly by: "type" };

/** What becomes of a notification for one user and channel. */
export type Decision =
  | { readonly outcome: "deliver"; readonly at: number; readonly reason: "due" | "quiet_hours"; readonly source: string }
  | {
      readonly outcome: "digest";
      readonly at: number;
      readonly digest: DigestPlan;
      readonly reason: "digest" | "throttled";
      readonly source: string;
    }
  | { readonly outcome: "skip"; readonly reason: SkipReason; readonly source: string };

/** What the type's declaration says of a channel. */
export interface ChannelRules {
  /** Whether it reaches the user whatever was chosen. */
  readonly isRequired: boolean;
  /** Whether quiet hours let it pass. */
  readonly isUrgent: boolean;
  /** How long it waits after its creation, in milliseconds. */
  readonly afterMs: number;
  readonly unlessRead: boolean;
  readonly unlessOnline: boolean;
  readonly hasDigest: boolean;
  /** Whether what is urgent goes by that digest at once. */
  readonly digestUnlessUrgent: boolean;
  readonly hasThrottle: boolean;
}

/** What is known when it is decided. Null stands for "not known yet": what it would forbid is asked again before delivery. */
export interface DecisionState {
  readonly now: number;
  readonly createdAt: number;
  readonly scheduledAt: number | null;
  readonly expiresAt: number | null;
  readonly address: "known" | "none" | "suppressed" | null;
  /** Whether the user muted the topic that it came by. */
  readonly isMuted: boolean;
  readonly choice: EffectiveChoice;
  readonly isRead: boolean | null;
  readonly isOnline: boolean | null;
  /** What the host's own condition said; null if there is none, or it was not asked yet. */
  readonly meetsCondition: boolean | null;
  /** Whether its throttle lets it pass. */
  readonly isWithinThrottle: boolean;
  /** When the user's pause ends; null for none. It says why something waits, {@link quietUntil} until when. */
  readonly pauseUntil: number | null;
  /** Returns when the quiet hours end that a time lies in, null if it lies in none. */
  quietUntil(at: number): number | null;
}

/** The rules, in the order in which they are asked. The first that applies ends it. */
export const DECISION_RULES = [
  "expiry",
  "address",
  "required",
  "preference",
  "condition",
  "digest",
  "throttle",
  "quiet hours",
  "due",
] as const;

/** One of the rules. */
export type DecisionRule = (typeof DECISION_RULES)[number];

/** A rule's result: the decision if it made one, null if it lets the next rule decide, undefined if it was not asked. */
export type RuleResults = ReadonlyMap<DecisionRule, Decision | null>;

type Rule = (rules: ChannelRules, state: DecisionState, at: number) => Decision | null;

/** The rules that are asked again when a delivery is claimed: what was decided of digest and throttle at creation stays. */
const AT_CLAIM: readonly DecisionRule[] = ["expiry", "address", "required", "preference", "condition", "quiet hours", "due"];

/** What a required channel is asked beside its expiry and its address. */
const REQUIRED: readonly DecisionRule[] = ["expiry", "address", "required", "quiet hours", "due"];

const ASK: Readonly<Record<DecisionRule, Rule>> = {
  expiry: (_, { expiresAt }, at) => (expiresAt !== null && expiresAt <= at ? skip("expired", "notification") : null),
  address: (_, { address }) => {
    if (address === "none") {
      return skip("no_address", "directory");
    }
    return address === "suppressed" ? skip("suppressed", "suppressions") : null;
  },
  // Says nothing itself: a required channel is not asked the rules up to quiet hours.
  required: () => null,
  preference: (_, { isMuted, choice }) => {
    if (isMuted) {
      return skip("preference", "user mute");
    }
    return choice.value === "off" ? skip("preference", sourceText(choice.source)) : null;
  },
  condition: ({ unlessRead, unlessOnline }, { isRead, isOnline, meetsCondition, now }, at) => {
    // It is asked at the time of the delivery; before, it may still change.
    if (at > now) {
      return null;
    }
    if (unlessRead && isRead === true) {
      return skip("read", "type");
    }
    if (unlessOnline && isOnline === true) {
      return skip("online", "type");
    }
    return meetsCondition === false ? skip("condition", "type") : null;
  },
  digest: ({ hasDigest, digestUnlessUrgent, isUrgent, hasThrottle }, { choice }, at) => {
    if (isDigestFrequency(choice.value)) {
      // Frequencies come from choices alone.
      const { scope, name } = "scope" in choice.source ? choice.source : ({ scope: "all", name: "" } as const);
      const digest = { by: "choice", frequency: choice.value, scope, name } as const;
      return { outcome: "digest", at, digest, reason: "digest", source: sourceText(choice.source) };
    }
    return hasDigest && !(digestUnlessUrgent && isUrgent) && !hasThrottle && choice.value !== "immediate"
      ? { outcome: "digest", at, digest: { by: "type" }, reason: "digest", source: "type" }
      : null;
  },
  throttle: ({ hasDigest, hasThrottle }, { isWithinThrottle }, at) => {
    if (!hasThrottle || isWithinThrottle) {
      return null;
    }
    return hasDigest ? { outcome: "digest", at, digest: { by: "type" }, reason: "throttled", source: "type" } : skip("throttled", "type");
  },
  "quiet hours": ({ isUrgent }, state, at) => {
    const until = isUrgent ? null : state.quietUntil(at);
    const source = at < (state.pauseUntil ?? at) ? "user pause" : "user";
    return until === null ? null : { outcome: "deliver", at: until, reason: "quiet_hours", source };
  },
  due: (_, __, at) => ({ outcome: "deliver", at, reason: "due", source: "notification" }),
};

/**
 * Decides what becomes of a notification for one user and channel: delivered now or at a time, put into a digest, or skipped,
 * always with the reason and where that came from. It has no effects.
 *
 * @param when `creation` asks every rule; `claim` asks again, right before the delivery, those whose answer may have changed
 */
export function decide(rules: ChannelRules, state: DecisionState, when: "creation" | "claim"): Decision {
  return decision(explainDecision(rules, state, when));
}

/** Decides as {@link decide} does, and returns the result of each rule that was asked, in the order of {@link DECISION_RULES}. */
export function explainDecision(rules: ChannelRules, state: DecisionState, when: "creation" | "claim"): RuleResults {
  const at = Math.max(state.now, state.scheduledAt ?? state.now, state.createdAt + rules.afterMs);
  const results = new Map<DecisionRule, Decision | null>();
  for (const name of DECISION_RULES) {
    if ((when === "creation" || AT_CLAIM.includes(name)) && (!rules.isRequired || REQUIRED.includes(name))) {
      const result = ASK[name](rules, state, at);
      results.set(name, result);
      if (result !== null) {
        break;
      }
    }
  }
  return results;
}

/** The decision among the results of rules: that of the rule which ended it. */
export function decision(results: RuleResults): Decision {
  const last = [...results.values()].at(-1);
  if (!last) {
    throw new TypeError("The last rule that was asked made no decision; `due` makes one always.");
  }
  return last;
}

function skip(reason: SkipReason, source: string): Decision {
  return { outcome: "skip", reason, source };
}
