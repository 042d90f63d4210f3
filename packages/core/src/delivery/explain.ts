import {
  askThrottle,
  type Decision,
  type DecisionFacts,
  type DecisionRule,
  type DecisionSubject,
  type DigestFrequency,
  decision,
  explainFor,
  type RuleResults,
} from "../decisions/index.ts";
import type { Owner } from "../foundation/context.ts";
import { type ChecksOf, requireInput, requireNone } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import { requireJsonObject } from "../foundation/parse-json.ts";
import { NAME_RULE, oneOf, text, textIssue } from "../foundation/parse-text.ts";
import { timeIssue } from "../foundation/parse-time.ts";
import {
  channelsOfType,
  declaredType,
  groupOfType,
  INBOX_CHANNEL,
  isRequired,
  type Notification,
  type NotificationType,
  rulesOfType,
} from "../notifications/index.ts";
import { Cancellation, withinTime } from "../work/timing.ts";
import { Addresses } from "./addresses.ts";
import { placeKey } from "./close-digests.ts";
import type { DeliveryContext } from "./context.ts";
import { digestKey, planOf, zoneAtCreation } from "./decide-deliveries.ts";
import type { Digest } from "./digest.ts";
import { closingOf, DigestReach } from "./digest-times.ts";
import { type Pause, shownPause } from "./pause.ts";
import { askCondition } from "./ruling.ts";
import { SuppressedAddresses } from "./suppressed-addresses.ts";

/** The notification that `explain` imagines. */
export interface ExplainInput {
  /** When it would be created. @default now */
  readonly at?: Date;
  /** Its data, for choices and conditions that depend on it; it is not checked against the type's schema. @default {} */
  readonly data?: JsonObject;
  /** @default "normal" */
  readonly priority?: Notification["priority"];
  /** The topic that it would come by. @default none */
  readonly topic?: string;
  /** Its group. @default what the type makes of `data`, if that is given; else none */
  readonly group?: string;
}

/** The digest that a notification would wait for. */
export interface ExplainedDigest {
  /** What the type's `by` makes of the data; empty without one, and for a frequency that was chosen. */
  readonly key: string;
  /** How often it comes, where that was chosen or the type says it; null for a window of some length. */
  readonly frequency: DigestFrequency | null;
  /** When its window closes: of one that is open, else of the one that the notification would open. */
  readonly closesAt: Date;
  /** Whether the notification would go out alone at once, since it would open the window of a digest with `leading`. */
  readonly leads: boolean;
}

/** A decision as `explain` shows it. */
export interface ExplainedDecision {
  readonly outcome: "deliver" | "digest" | "skip";
  /** When it would go out, or be put into a digest; null if it would be skipped. */
  readonly at: Date | null;
  /** Why: `due`, `quiet_hours`, `digest`, or the reason of a delivery that is skipped. */
  readonly reason: Decision["reason"];
  /** Whose decision it is, such as `user type email`, `tenant category`, `type` or `directory`. */
  readonly source: string;
}

/** What becomes of a type for a user over one channel. */
export interface ChannelExplanation extends ExplainedDecision {
  readonly channel: string;
  /** The digest that it would wait for; null for none. */
  readonly digest: ExplainedDigest | null;
  /** The pause that would hold it back, whenever it goes out; null for none. */
  readonly pause: Pause | null;
  /** The rules that were asked, in their order, each with its decision; null where it left it to the next one. */
  readonly rules: readonly { readonly rule: DecisionRule; readonly decision: ExplainedDecision | null }[];
}

const INPUT: ChecksOf<ExplainInput> = {
  at: timeIssue,
  data: () => null,
  priority: oneOf(["low", "normal", "high", "urgent"]),
  topic: text(NAME_RULE),
  group: text(NAME_RULE),
};

/** How long the directory and a type's condition may take. */
const LOOK_UP_MS = 5_000;

/** What it is explained for. */
interface Explaining extends Owner {
  readonly type: string;
  readonly input: ExplainInput;
}

/** Explains, for each channel of a type, what the engine would do now if a notification of the type were created for a user. */
export async function explain(
  context: DeliveryContext,
  { tenant, userId, type, input }: Explaining,
): Promise<readonly ChannelExplanation[]> {
  requireNone([textIssue(type, ["type"], NAME_RULE)]);
  requireInput("explain", input, INPUT);
  const { at = new Date(context.clock.now()), priority = "normal", topic = null } = input;
  const data = requireJsonObject(input.data ?? {}, ["data"]);
  const declared = declaredType(context, type, { declaredTypesOnly: true });
  const group = input.group ?? (input.data === undefined ? null : groupOfType(context, { type, declared, data }));
  const notification = { type, category: declared?.category ?? null, priority, data, createdAt: at, expiresAt: null };
  using _call = await context.ready();
  const lookup = await context.preferences.of(tenant, [userId]);
  const explained = (channelsOfType(declared) ?? [INBOX_CHANNEL]).map(async (channel) => {
    const subject: DecisionSubject = { notification, declared, channel, scheduledAt: null, topic, group };
    const asking = { tenant, userId, subject, lookup };
    const results = await resultsFor(context, asking, "creation");
    const digest = await digestOf(context, asking, decision(results));
    // It goes out as it would without a digest.
    const rest = digest?.leads ? await resultsFor(context, asking, "claim") : new Map();
    const asked = new Map([...results, ...[...rest].filter(([rule]) => !results.has(rule))]);
    const pause = await context.pauses.on({ tenant, channel, recipient: userId });
    return explanation(channel, asked, { digest, pause: pause === null ? null : shownPause(pause) });
  });
  return Promise.all(explained);
}

interface Asking extends Owner {
  readonly subject: DecisionSubject;
  readonly lookup: Awaited<ReturnType<DeliveryContext["preferences"]["of"]>>;
}

/** The results of the decision at creation if it skips, else those with all that is known when the delivery is claimed. */
async function resultsFor(
  context: DeliveryContext,
  { tenant, userId, subject, lookup }: Asking,
  when: "creation" | "claim",
): Promise<RuleResults> {
  const preferences = lookup(userId);
  const now = subject.notification.createdAt.getTime();
  const isWithinThrottle = await passesThrottle(context, { tenant, userId, subject });
  const unknown = { now, isWithinThrottle, address: null, isRead: null, isOnline: null, meetsCondition: null };
  const timeZone = zoneAtCreation(subject, { settings: preferences.settings, hasDirectory: context.directory !== null });
  const first = explainFor(subject, { preferences, facts: { ...unknown, timeZone } }, when);
  if (decision(first).outcome === "skip" || subject.channel === INBOX_CHANNEL) {
    return first;
  }
  const facts = { ...unknown, ...(await knownOf(context, { tenant, userId, subject })) };
  const asked = explainFor(subject, { preferences, facts }, when);
  const { when: isMet } = rulesOfType(subject.declared, subject.channel);
  if (isMet === undefined || decision(asked).outcome === "skip" || isAlways(subject.declared, subject.channel)) {
    return asked;
  }
  const { data } = subject.notification;
  const condition = () => askCondition(isMet, { user: { id: userId, tenant }, data }, subject.notification.type);
  const meetsCondition = await withinTime(condition, { clock: context.clock, timeoutMs: LOOK_UP_MS, cancellation: new Cancellation() });
  return explainFor(subject, { preferences, facts: { ...facts, meetsCondition } }, when);
}

async function passesThrottle(
  { decisions }: DeliveryContext,
  { tenant, userId, subject: { declared, channel, notification } }: Omit<Asking, "lookup">,
): Promise<boolean> {
  const { throttle } = rulesOfType(declared, channel);
  if (throttle === undefined || channel === INBOX_CHANNEL) {
    return true;
  }
  const freeAt = await decisions.throttleFreeAt({ tenant, userId }, { type: notification.type, channel });
  return askThrottle(throttle, freeAt, notification.createdAt.getTime()).isAllowed;
}

/** What is known of a user when a delivery is claimed. */
async function knownOf(
  context: DeliveryContext,
  { tenant, userId, subject: { declared, channel: name } }: Omit<Asking, "lookup">,
): Promise<Pick<DecisionFacts, "address" | "timeZone" | "isOnline">> {
  const channel = context.channels.get(name);
  const { unlessOnline = false } = rulesOfType(declared, name);
  const isOnline = unlessOnline ? await context.presence.isOnline({ tenant, userId }) : null;
  if (channel === undefined) {
    return { address: null, timeZone: null, isOnline };
  }
  const limit = { clock: context.clock, timeoutMs: LOOK_UP_MS, cancellation: new Cancellation() };
  const reached = await withinTime(async () => new Addresses(context).of({ tenant, recipient: userId }, channel), limit);
  if ("outcome" in reached) {
    return { address: "none", timeZone: null, isOnline };
  }
  if ("status" in reached) {
    return { address: null, timeZone: null, isOnline };
  }
  const isSuppressed =
    reached.devices === undefined &&
    (await new SuppressedAddresses(context).ruling({ tenant, channel, address: reached.address })) !== null;
  return { address: isSuppressed ? "suppressed" : "known", timeZone: reached.timeZone, isOnline };
}

/** The digest that a decision leads to, as it stands now. */
async function digestOf(context: DeliveryContext, asking: Asking, made: Decision): Promise<ExplainedDigest | null> {
  if (made.outcome !== "digest") {
    return null;
  }
  const { tenant, userId, subject, lookup } = asking;
  const { channel, declared, notification } = subject;
  const { type, data } = notification;
  const { by } = rulesOfType(declared, channel).digest ?? {};
  const isKeyed = by !== undefined && made.digest.by === "type";
  const keys = isKeyed ? [[channel, await digestKey(context, { by, type, channel, data })] as const] : [];
  const plan = planOf(made.digest, { deciding: { declared, notification }, channel, keys: new Map(keys) });
  const { settings } = lookup(userId);
  const isAsked = plan.frequency !== null && !settings.hasTimeZone;
  const zone = isAsked ? (await new DigestReach(context).of({ tenant, userId, channel })).timeZone : null;
  const opening = (plan.windowMs === null ? closingOf(plan, settings, { zone, atMs: made.at }) : made.at + plan.windowMs) ?? made.at;
  const place = placeKey({ tenant, userId, channel, plan });
  const open = (await context.digests.openOf({ tenant, userId })).find(
    (one) => placeKey(one) === place && one.closesAt.getTime() > made.at,
  );
  const closesAt = open === undefined ? opening : slid(open, opening);
  return { key: plan.key, frequency: plan.frequency, closesAt: new Date(closesAt), leads: plan.leading && open === undefined };
}

/** When an open window closes after another entry, which would open one until `opening`. */
function slid({ plan: { maxWindowMs }, openedAt, closesAt }: Digest, opening: number): number {
  return maxWindowMs === null ? closesAt.getTime() : Math.min(openedAt.getTime() + maxWindowMs, Math.max(closesAt.getTime(), opening));
}

function isAlways(declared: NotificationType | undefined, channel: string): boolean {
  return declared !== undefined && isRequired(declared, channel);
}

function explanation(channel: string, results: RuleResults, why: Pick<ChannelExplanation, "digest" | "pause">): ChannelExplanation {
  const rules = [...results].map(([rule, made]) => ({ rule, decision: made === null ? null : shownDecision(made) }));
  return { channel, ...shownDecision(decision(results)), ...why, rules };
}

function shownDecision(made: Decision): ExplainedDecision {
  const { outcome, reason, source } = made;
  return { outcome, at: made.outcome === "skip" ? null : new Date(made.at), reason, source };
}
