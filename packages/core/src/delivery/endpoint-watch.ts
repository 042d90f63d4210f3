import type { MaybePromise } from "../foundation/maybe-promise.ts";
import type { DeliveryOutcome } from "./channel.ts";
import type { DeliveryContext } from "./context.ts";
import type { Delivery, Endpoint } from "./delivery.ts";
import { CircuitBreaker, type CircuitChange, GoneEndpoints } from "./endpoints.ts";
import type { HoldsStorage } from "./holds-storage.ts";

/** How long the storage keeps an endpoint whose rest is over: nobody has tried it since, or the process that noted it has ended. */
const KEPT_MS = 24 * 60 * 60 * 1_000;

/** The most endpoints that are learned of at once. */
const MAX_LEARNED = 1_000;

/** The parts that it uses. */
export interface WatchContext extends Pick<DeliveryContext, "channels" | "clock" | "lines" | "rests"> {
  readonly holds: Pick<HoldsStorage, "openCircuit" | "closeCircuit" | "circuitsOf" | "restingAt" | "pruneCircuits">;
}

/** What is to be known of a delivery whose attempt ended. */
export type AttemptedDelivery = Pick<Delivery, "channel" | "recipient" | "recipientKind">;

/**
 * What attempts say of endpoints: which of them rest since they kept failing, in this process or another one, and which of this process's
 * are gone.
 */
export class EndpointWatch {
  readonly #context: WatchContext;
  readonly #breaker = new CircuitBreaker();
  readonly #gone = new GoneEndpoints();

  constructor(context: WatchContext) {
    this.#context = context;
  }

  /** The endpoints that rest at this moment. */
  resting(): readonly Endpoint[] {
    return this.#breaker.open(this.#context.clock.now());
  }

  /** Lets endpoints rest that began to in another process, if that told of any since the last look. */
  async learn(): Promise<void> {
    const { rests, holds, clock } = this.#context;
    if (rests.areNews) {
      const at = new Date(clock.now());
      // What is told of during the look is looked for again.
      rests.areNews = false;
      try {
        for (const circuit of await holds.restingAt(at, MAX_LEARNED)) {
          this.#breaker.adopt(circuit);
        }
      } catch (error) {
        rests.areNews = true;
        throw error;
      }
    }
  }

  /** Lets endpoints be tried whose rest somebody ended, in whichever process. Where none rests, it asks nothing. */
  async rouse(): Promise<void> {
    const resting = this.resting();
    if (resting.length > 0) {
      const noted = await this.#context.holds.circuitsOf(resting);
      for (const endpoint of resting.filter((one) => !noted.some((other) => isSame(one, other)))) {
        this.#breaker.rouse(endpoint);
      }
    }
  }

  /** Whether an endpoint rests at this moment. */
  isResting(endpoint: Endpoint): boolean {
    return this.#breaker.isOpen(endpoint, this.#context.clock.now());
  }

  /** Until when nothing is sent to an endpoint that said that it is gone; null if it did not. */
  goneUntil(endpoint: Endpoint): Date | null {
    return this.#gone.areNone ? null : this.#gone.until(endpoint, this.#context.clock.now());
  }

  /**
   * Notes how an attempt ended. The storage learns of rests that begin and end, so that people see them from any process. There is a promise
   * only for that.
   */
  ended(delivery: AttemptedDelivery, outcome: DeliveryOutcome, nowMs: number): MaybePromise<void> {
    if (delivery.recipientKind === "user" && this.#context.channels.get(delivery.channel)?.devices !== undefined) {
      // One device says nothing of the user's others, and one that is gone was removed.
      return;
    }
    if (outcome.status !== "failed") {
      this.#gone.forget(delivery);
    } else if (outcome.isEndpointGone) {
      this.#gone.note(delivery, nowMs);
    }
    const change = this.#breaker.ended(delivery, outcome.status === "failed" && outcome.transient, nowMs);
    if (change !== undefined) {
      return this.#note(delivery, change);
    }
  }

  async #note(endpoint: Endpoint, change: CircuitChange): Promise<void> {
    const { holds, lines, rests } = this.#context;
    try {
      await (change === null ? holds.closeCircuit(endpoint) : holds.openCircuit(change));
    } catch (error) {
      // What the storage does not learn of is only not shown: the attempt counts all the same.
      lines.warn({ error }, "Belfry could not note whether an endpoint rests.");
      return;
    }
    rests.tell();
  }

  /** Has the storage forget endpoints whose rest was over long ago. */
  async prune(nowMs: number): Promise<void> {
    await this.#context.holds.pruneCircuits(new Date(nowMs - KEPT_MS));
  }
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return one.channel === other.channel && one.recipient === other.recipient;
}
