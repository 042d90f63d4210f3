import { type Decision, type DecisionSubject, decideFor, obeysChoices, type PreferencesLookup } from "../decisions/index.ts";
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

/**
 * Decides, when a notification is created, about the deliveries to users over channels for which their choices count. What is
 * decided against is skipped, and has no fallback; what has to wait gets its time. All other deliveries stay as they are. What is
 * not known yet, such as an address, is decided at the claim.
 */
export async function decideDeliveries(context: DecidingContext, deciding: Deciding): Promise<readonly NewDelivery[]> {
  const { tenant, deliveries, declared } = deciding;
  const isDecided = ({ recipientKind, isFallback, channel }: NewDelivery) =>
    recipientKind === "user" && !isFallback && obeysChoices(declared, channel);
  const users = new Set(deliveries.filter(isDecided).map(({ recipient }) => recipient));
  if (users.size === 0) {
    return deliveries;
  }
  using _call = await context.ready();
  const lookup = await context.preferences.of(tenant, [...users]);
  const decided: NewDelivery[] = [];
  let skipped = -1;
  for (const [index, delivery] of deliveries.entries()) {
    if (index % PIECE === PIECE - 1) {
      await nextTurn();
    }
    const after = isDecided(delivery) ? decideDelivery(delivery, deciding, { lookup, ...context }) : delivery;
    if (after.status === "skipped") {
      skipped = after.chain;
    }
    // The fallbacks of a chain come right after its primary delivery.
    if (!after.isFallback || after.chain !== skipped) {
      decided.push(after);
    }
  }
  return decided;
}

function decideDelivery(
  delivery: NewDelivery,
  { notification, declared, scheduledAt, topic, group }: Deciding,
  { lookup, directory }: Pick<DecidingContext, "directory"> & { readonly lookup: PreferencesLookup },
): NewDelivery {
  const now = notification.createdAt.getTime();
  const unknown = { address: null, isRead: null, isOnline: null, meetsCondition: null, isWithinThrottle: true };
  const facts = { now, ...unknown, timeZone: directory === null ? null : undefined };
  const subject = { notification, declared, scheduledAt, topic, group, channel: delivery.channel };
  const decision = decideFor(subject, { preferences: lookup(delivery.recipient), facts }, "creation");
  return decidedAs(delivery, decision, (scheduledAt ?? notification.createdAt).getTime());
}

/** The delivery as it was decided. @param baseMs the time from which it is due */
function decidedAs(delivery: NewDelivery, decision: Decision, baseMs: number): NewDelivery {
  if (decision.outcome === "skip") {
    const { reason, source: reasonSource } = decision;
    return { ...delivery, status: "skipped", reason, reasonSource, dueInMs: null };
  }
  const isQuiet = decision.reason === "quiet_hours";
  const why = isQuiet ? { reason: "quiet_hours" as const, reasonSource: decision.source } : {};
  return { ...delivery, ...why, dueInMs: Math.max(0, decision.at - baseMs) };
}
