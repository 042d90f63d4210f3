import {
  type Decision,
  type DecisionSubject,
  type DigestPlan,
  decideFor,
  obeysChoices,
  type PreferencesLookup,
  type ThrottleQuestion,
  type UserSettings,
} from "../decisions/index.ts";
import type { JsonObject } from "../foundation/json.ts";
import { text } from "../foundation/parse-text.ts";
import { INBOX_CHANNEL, isRequired, renderMember, rulesOfType, type TypeDigest } from "../notifications/index.ts";
import { nextTurn } from "../work/timing.ts";
import type { DeliveryContext } from "./context.ts";
import type { EntryPlan } from "./digest.ts";
import type { NewDelivery } from "./new-send.ts";

/** How many deliveries are decided on before others get their turn of the event loop. */
const PIECE = 500;

/** What it is decided about. */
export interface Deciding extends Omit<DecisionSubject, "channel" | "topic"> {
  readonly tenant: string;
  readonly deliveries: readonly NewDelivery[];
  /** The keys of the type's digests, by channel. @default what the type's `by` makes of the data */
  readonly keys?: ReadonlyMap<string, string>;
}

/** The parts that decisions at creation use. */
type DecidingContext = Pick<DeliveryContext, "preferences" | "directory" | "ready" | "clock" | "locale">;

/** The deliveries as they are to be written, and the throttles that are still to be asked. */
export interface DecidedDeliveries {
  /** As they are if every throttle lets them pass. */
  readonly deliveries: readonly NewDelivery[];
  readonly questions: readonly ThrottleQuestion[];
  /** The deliveries, given the answer to each question. It has no effects. */
  throttled(allowed: readonly boolean[]): readonly NewDelivery[];
}

/**
 * Decides, when a notification is created, about the deliveries to users over channels for which their choices count. What is
 * decided against is skipped, and has no fallback; what has to wait gets its time. All other deliveries stay as they are. What is
 * not known yet, such as an address, is decided at the claim.
 */
export async function decideDeliveries(context: DecidingContext, deciding: Deciding): Promise<DecidedDeliveries> {
  const { tenant, deliveries, declared, notification, scheduledAt } = deciding;
  const asked = deliveries.filter(
    ({ recipientKind, isFallback, channel }) => recipientKind === "user" && !isFallback && obeysChoices(declared, channel),
  );
  if (asked.length === 0) {
    return { deliveries, questions: [], throttled: () => deliveries };
  }
  using _call = await context.ready();
  const lookup = await context.preferences.of(tenant, [...new Set(asked.map(({ recipient }) => recipient))]);
  const decide = (delivery: NewDelivery, isWithinThrottle: boolean) =>
    decideOn(delivery, deciding, { lookup, isWithinThrottle, hasDirectory: context.directory !== null });
  const decisions = new Map<NewDelivery, Decision>();
  for (const [index, delivery] of asked.entries()) {
    if (index % PIECE === PIECE - 1) {
      await nextTurn();
    }
    decisions.set(delivery, decide(delivery, true));
  }
  const questions = throttlesOf(deciding, decisions);
  const baseMs = (scheduledAt ?? notification.createdAt).getTime();
  const keys = deciding.keys ?? (await keysOf(context, deciding, decisions));
  const planned = (delivery: NewDelivery, decision: Decision | undefined) =>
    decision?.outcome === "digest" ? planOf(decision.digest, { deciding, channel: delivery.channel, keys }) : null;
  const throttled = (allowed: readonly boolean[]) => {
    const refused = new Set([...questions.keys()].filter((_, index) => allowed[index] === false));
    const made = deliveries.map((delivery) => {
      const decision = refused.has(delivery) ? decide(delivery, false) : decisions.get(delivery);
      return decidedAs(delivery, decision, { baseMs, digest: planned(delivery, decision) });
    });
    return withoutFallbacks(made);
  };
  return { deliveries: throttled([]), questions: [...questions.values()], throttled };
}

/** The keys of those of the type's digests that some of the deliveries may wait for, by channel. Rejects with `RENDERING_FAILED`. */
async function keysOf(
  context: DecidingContext,
  deciding: Deciding,
  decisions: ReadonlyMap<NewDelivery, Decision>,
): Promise<ReadonlyMap<string, string>> {
  // A throttle may put into the digest what would go out.
  const waiting = [...decisions].filter(
    ([, decision]) => decision.outcome === "deliver" || (decision.outcome === "digest" && decision.digest.by === "type"),
  );
  return digestKeys(context, deciding, new Set(waiting.map(([{ channel }]) => channel)));
}

/** The keys of the type's digests over some channels, by channel. Rejects with `RENDERING_FAILED` for a function of the type that fails. */
export async function digestKeys(
  context: Pick<DeliveryContext, "clock" | "locale">,
  { declared, notification: { type, data } }: Pick<Deciding, "declared" | "notification">,
  channels: Iterable<string>,
): Promise<ReadonlyMap<string, string>> {
  const keys = new Map<string, string>();
  for (const channel of channels) {
    const { by } = rulesOfType(declared, channel).digest ?? {};
    if (by !== undefined) {
      keys.set(channel, await digestKey(context, { by, type, channel, data }));
    }
  }
  return keys;
}

/** The key that a type's `by` makes of the data. Rejects with `RENDERING_FAILED`. */
export async function digestKey(
  context: Pick<DeliveryContext, "clock" | "locale">,
  { by, type, channel, data }: { by: NonNullable<TypeDigest<never>["by"]>; type: string; channel: string; data: JsonObject },
): Promise<string> {
  return await renderMember<string>(by, { data }, { context, type, channel, member: "digest.by", check: KEY });
}

const KEY = text({ minLength: 1, maxLength: 255 });

/** What a delivery that waits for a digest is written with. */
export function planOf(
  digest: DigestPlan,
  {
    deciding,
    channel,
    keys,
  }: { deciding: Pick<Deciding, "declared" | "notification">; channel: string; keys: ReadonlyMap<string, string> },
): EntryPlan {
  if (digest.by === "choice") {
    const { scope, name, frequency } = digest;
    return { by: "choice", scope, name, key: "", frequency, windowMs: null, maxWindowMs: null, leading: false };
  }
  const { frequency = null, windowMs = null, maxWindowMs = null, leading = false } = rulesOfType(deciding.declared, channel).digest ?? {};
  const name = deciding.notification.type;
  return { by: "type", scope: "type", name, key: keys.get(channel) ?? "", frequency, windowMs, maxWindowMs, leading };
}

interface Known {
  readonly lookup: PreferencesLookup;
  readonly isWithinThrottle: boolean;
  readonly hasDirectory: boolean;
}

function decideOn(
  { channel, recipient, topic }: NewDelivery,
  { notification, declared, scheduledAt, group }: Deciding,
  { lookup, isWithinThrottle, hasDirectory }: Known,
): Decision {
  const subject = { notification, declared, scheduledAt, topic, group, channel };
  const preferences = lookup(recipient);
  const timeZone = zoneAtCreation(subject, { settings: preferences.settings, hasDirectory });
  const unknown = { address: null, isRead: null, isOnline: null, meetsCondition: null };
  const facts = { ...unknown, timeZone, now: notification.createdAt.getTime(), isWithinThrottle };
  return decideFor(subject, { preferences, facts }, "creation");
}

/**
 * The directory's time zone as far as it counts at creation: undefined where quiet hours have to wait for the claim, because the
 * zone, or an answer that is asked before them, is not known yet; else null.
 */
export function zoneAtCreation(
  { notification: { createdAt }, declared, scheduledAt, channel }: DecisionSubject,
  { settings, hasDirectory }: { readonly settings: Pick<UserSettings, "hasTimeZone">; readonly hasDirectory: boolean },
): null | undefined {
  const { afterMs = 0, unlessOnline = false, when } = rulesOfType(declared, channel);
  const isAsked = when !== undefined || hasDirectory || unlessOnline;
  const isDueNow = Math.max(scheduledAt?.getTime() ?? 0, createdAt.getTime() + afterMs) <= createdAt.getTime();
  return (isDueNow && isAsked) || (hasDirectory && !settings.hasTimeZone) ? undefined : null;
}

/** The throttles of the type that are to be asked about what would go out. */
function throttlesOf(
  { notification, declared }: Deciding,
  decisions: ReadonlyMap<NewDelivery, Decision>,
): ReadonlyMap<NewDelivery, ThrottleQuestion> {
  const questions = new Map<NewDelivery, ThrottleQuestion>();
  for (const [delivery, { outcome }] of decisions) {
    const { channel, recipient: userId } = delivery;
    const { throttle } = rulesOfType(declared, channel);
    const isFree = declared === undefined || isRequired(declared, channel) || channel === INBOX_CHANNEL;
    if (throttle !== undefined && outcome === "deliver" && !isFree) {
      questions.set(delivery, { ...throttle, userId, channel, type: notification.type });
    }
  }
  return questions;
}

/** The delivery as it was decided. `baseMs` is the time from which it is due. */
function decidedAs(
  delivery: NewDelivery,
  decision: Decision | undefined,
  { baseMs, digest }: { readonly baseMs: number; readonly digest: EntryPlan | null },
): NewDelivery {
  if (decision === undefined) {
    return delivery;
  }
  if (decision.outcome === "skip") {
    const { reason, source: reasonSource } = decision;
    return { ...delivery, status: "skipped", reason, reasonSource, dueInMs: null };
  }
  if (decision.outcome === "digest") {
    const dueInMs = Math.max(0, decision.at - baseMs);
    return { ...delivery, reason: "digest", reasonSource: decision.source, dueInMs, digest };
  }
  const isQuiet = decision.reason === "quiet_hours";
  const why = isQuiet ? { reason: "quiet_hours" as const, reasonSource: decision.source } : {};
  return { ...delivery, ...why, dueInMs: Math.max(0, decision.at - baseMs) };
}

/** Leaves out the fallbacks of what is skipped. */
function withoutFallbacks(deliveries: readonly NewDelivery[]): readonly NewDelivery[] {
  const skipped = new Set(deliveries.filter(({ status }) => status === "skipped").map(({ chain }) => chain));
  return deliveries.filter(({ isFallback, chain }) => !isFallback || !skipped.has(chain));
}
