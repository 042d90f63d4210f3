import type { ShownDelivery } from "../delivery/index.ts";
import { leadingOf, type OpenCircuit, shownPause, standingOf, type TrackedDelivery } from "../delivery/index.ts";
import type { ActivityContent, ActivityDelivery, ActivitySummary } from "./activity.ts";
import type { StoredActivity, StoredSummary } from "./activity-storage.ts";
import type { OperatorContext } from "./context.ts";

/** The line of a search at a moment. */
export function summaryOf({ underWay, recordError, ...summary }: StoredSummary, now: Date): ActivitySummary {
  const standing = leadingOf(underWay.map((delivery) => standingOf(delivery, now, delivery.circuit)));
  const errors = underWay.flatMap(({ lastError }) => lastError ?? []);
  const [last] = errors.toSorted((left, right) => right.at.getTime() - left.at.getTime());
  return { ...summary, standing, lastError: last?.error ?? recordError };
}

/** A notification's content at a moment. */
export function contentOf({ summary, ...content }: StoredActivity, now: Date): ActivityContent {
  return { ...content, summary: summaryOf(summary, now) };
}

/** Adds to deliveries how each of them stands. */
export async function withStandings(
  { holds, pauses, clock }: Pick<OperatorContext, "holds" | "pauses" | "clock">,
  deliveries: readonly ShownDelivery[],
): Promise<readonly ActivityDelivery[]> {
  const pending = deliveries.filter(({ status }) => status === "pending");
  const circuits = pending.length === 0 ? [] : await holds.circuitsOf(endpointsOf(pending));
  const now = new Date(clock.now());
  return await Promise.all(
    deliveries.map(async (delivery) => {
      const standing = standingOf(delivery, now, circuitOf(delivery, circuits));
      const pause = standing.heldBy === "paused" ? await pauses.on(delivery) : null;
      return { ...delivery, standing, pause: pause === null ? null : shownPause(pause) };
    }),
  );
}

/** The endpoints of deliveries, each once. */
function endpointsOf(deliveries: readonly TrackedDelivery[]) {
  const named = deliveries.map(({ channel, recipient }) => [`${channel}\u0000${recipient}`, { channel, recipient }] as const);
  return [...new Map(named).values()];
}

function circuitOf({ channel, recipient }: TrackedDelivery, circuits: readonly OpenCircuit[]): OpenCircuit | null {
  return circuits.find((circuit) => circuit.channel === channel && circuit.recipient === recipient) ?? null;
}
