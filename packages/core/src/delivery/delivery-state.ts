import type { Delivery, Endpoint } from "./delivery.ts";
import { BY_OPERATOR } from "./pause.ts";

/**
 * How a delivery stands, as people ask: its status, with `pending` told apart.
 *
 * | state       | meaning                                                                                                     |
 * | ----------- | ----------------------------------------------------------------------------------------------------------- |
 * | `scheduled` | waits for its time, for its digest, or, as a fallback, for its primary                                        |
 * | `due`       | may go out now, for the first time or anew                                                                  |
 * | `running`   | a worker is delivering it                                                                                   |
 * | `retrying`  | an attempt failed, and another one follows                                                                  |
 * | `held`      | would go out, but something holds it back: its endpoint rests, these are quiet hours, or it is paused         |
 * | others      | as its status                                                                                               |
 */
export type DeliveryState =
  | "scheduled"
  | "due"
  | "running"
  | "retrying"
  | "held"
  | "sent"
  | "delivered"
  | "failed"
  | "skipped"
  | "cancelled";

/** Every state of a delivery. */
export const DELIVERY_STATES: readonly DeliveryState[] = [
  "scheduled",
  "due",
  "running",
  "retrying",
  "held",
  "sent",
  "delivered",
  "failed",
  "skipped",
  "cancelled",
];

/** An endpoint that rests, since it failed several times in a row. */
export interface OpenCircuit extends Endpoint {
  /** How many attempts have failed since the last one that did not. */
  readonly failures: number;
  readonly openedAt: Date;
  readonly openUntil: Date;
}

/** What holds a delivery back: its endpoint rests after failures, these are quiet hours of its user, or an operator paused where it goes. */
export type HeldBy = "endpoint" | "quiet_hours" | "paused";

/** How a delivery stands at a moment. */
export interface DeliveryStanding {
  readonly state: DeliveryState;
  /** When its next attempt may be made, or its fallback steps in; of one that is held back, the end of that. Null when no time is known, and when it has settled. */
  readonly until: Date | null;
  /** What holds it back; null unless its state is `held`. */
  readonly heldBy: HeldBy | null;
  /** How often its endpoint failed in a row, where that holds it back; 0 otherwise. */
  readonly failures: number;
}

/** What the state of a delivery follows from. */
export type StateParts = Pick<Delivery, "status" | "reason" | "reasonSource" | "attempt" | "attemptsBefore" | "dueAt" | "leaseOwner">;

/** How a delivery stands. Storages search by the same rules in SQL. @param circuit that of its endpoint, open or not; null for none */
export function standingOf(delivery: StateParts, now: Date, circuit: Pick<OpenCircuit, "failures" | "openUntil"> | null): DeliveryStanding {
  const { status, dueAt } = delivery;
  const standing = (state: DeliveryState, until: Date | null = null): DeliveryStanding => ({ state, until, heldBy: null, failures: 0 });
  if (status === "waiting") {
    return standing("scheduled", dueAt);
  }
  if (status !== "pending") {
    return standing(status);
  }
  if (delivery.leaseOwner !== null) {
    return standing("running");
  }
  const isDue = dueAt !== null && dueAt <= now;
  if (delivery.reasonSource === BY_OPERATOR && !isDue) {
    return { ...standing("held"), heldBy: "paused" };
  }
  if (delivery.reason === "quiet_hours" && !isDue) {
    return { ...standing("held", dueAt), heldBy: "quiet_hours" };
  }
  if (isDue && circuit !== null && circuit.openUntil > now) {
    return { state: "held", until: circuit.openUntil, heldBy: "endpoint", failures: circuit.failures };
  }
  if (delivery.attempt > delivery.attemptsBefore) {
    return standing("retrying", dueAt);
  }
  return isDue ? standing("due", dueAt) : standing("scheduled", dueAt);
}

/** Most telling first. */
const TELLING: readonly DeliveryState[] = ["running", "held", "retrying", "due", "scheduled"];

/** How a notification stands whose deliveries stand so: as the most telling of those under way, the next one first; null if none is. */
export function leadingOf(standings: readonly DeliveryStanding[]): DeliveryStanding | null {
  const underWay = standings.filter(({ state }) => TELLING.includes(state));
  const order = ({ state, until }: DeliveryStanding) => [TELLING.indexOf(state), until?.getTime() ?? Number.POSITIVE_INFINITY] as const;
  const [leading = null] = underWay.toSorted((left, right) => {
    const [[rank, atMs], [otherRank, otherMs]] = [order(left), order(right)];
    return rank === otherRank ? Math.sign(atMs - otherMs) || 0 : rank - otherRank;
  });
  return leading;
}
