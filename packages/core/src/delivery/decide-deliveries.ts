import {
  type Decision,
  type DecisionSubject,
  decideFor,
  obeysChoices,
  type PreferencesLookup,
  type ThrottleQuestion,
  type UserSettings,
} from "../decisions/index.ts";
import { INBOX_CHANNEL, isRequired, rulesOfType } from "../notifications/index.ts";
import { nextTurn } from "../work/timing.ts";
import type { DeliveryContext } from "./context.ts";
import type { NewDelivery } from "./delivery-storage.ts";

/** How many deliveries are decided on before others get their turn of the event loop. */
const PIECE = 500;

/** What it is decided about. */
export interface Deciding extends Omit<DecisionSubject, "channel"> {
  readonly tenant: string;
  readonly deliveries: readonly NewDelivery[];
}

/** The parts that decisions at creation use. */
type DecidingContext = Pick<DeliveryContext, "preferences" | "directory" | "ready">;

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
  const throttled = (allowed: readonly boolean[]) => {
    const refused = new Set([...questions.keys()].filter((_, index) => allowed[index] === false));
    const decided = (delivery: NewDelivery) => (refused.has(delivery) ? decide(delivery, false) : decisions.get(delivery));
    return withoutFallbacks(deliveries.map((delivery) => decidedAs(delivery, decided(delivery), baseMs)));
  };
  return { deliveries: throttled([]), questions: [...questions.values()], throttled };
}

interface Known {
  readonly lookup: PreferencesLookup;
  readonly isWithinThrottle: boolean;
  readonly hasDirectory: boolean;
}

function decideOn(
  { channel, recipient }: NewDelivery,
  { notification, declared, scheduledAt, topic, group }: Deciding,
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

/** The delivery as it was decided. @param baseMs the time from which it is due */
function decidedAs(delivery: NewDelivery, decision: Decision | undefined, baseMs: number): NewDelivery {
  if (decision === undefined) {
    return delivery;
  }
  if (decision.outcome === "skip") {
    const { reason, source: reasonSource } = decision;
    return { ...delivery, status: "skipped", reason, reasonSource, dueInMs: null };
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
