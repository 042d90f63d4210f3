import type { Clock } from "../foundation/clock.ts";
import { andThen, type MaybePromise } from "../foundation/maybe-promise.ts";
import type { Delivery } from "./delivery.ts";
import type { Ruling } from "./delivery-transitions.ts";
import type { HoldsStorage } from "./holds-storage.ts";
import { BY_OPERATOR, covers, type StoredPause } from "./pause.ts";

/** How old what a process knows of pauses may be. */
const FRESH_MS = 1_000;
/** When what is held back is looked at again, should nobody have released it. */
const CHECKED_MS = 6 * 60 * 60 * 1_000;

/** What a pause may cover. */
type Covered = Pick<Delivery, "tenant" | "channel" | "recipient">;

/**
 * The pauses that hold deliveries back at this moment, as this process knows them. Where nothing is paused, that costs a look at an empty table a
 * second.
 */
export class PausesInForce {
  readonly #holds: Pick<HoldsStorage, "pauses">;
  readonly #clock: Clock;
  #known: readonly StoredPause[] = [];
  #readMs = Number.NEGATIVE_INFINITY;
  /** Whether what is known was read after the last change in this process. */
  #isKnown = false;
  #reading: Promise<void> | null = null;
  /** Grows with every change in this process: what was read before counts no more. */
  #changes = 0;

  constructor({ holds, clock }: { readonly holds: Pick<HoldsStorage, "pauses">; readonly clock: Clock }) {
    this.#holds = holds;
    this.#clock = clock;
  }

  /** Has the pauses read anew: this process changed some. */
  changed(): void {
    this.#changes += 1;
    this.#isKnown = false;
    this.#readMs = Number.NEGATIVE_INFINITY;
    this.#reading = null;
  }

  /** The widest pause that covers a delivery, or null. */
  on(delivery: Covered): MaybePromise<StoredPause | null> {
    return andThen(this.#freshen(), () => this.#known.find((pause) => covers(pause, delivery)) ?? null);
  }

  /**
   * What stands against the attempt of a claimed delivery; null if no pause covers it. It leaves the queue, so that a million of them cost
   * nobody a look, until it is released.
   */
  ruling(delivery: Covered): MaybePromise<Ruling | null> {
    // Every attempt asks, and usually nothing is paused.
    if (this.#known.length === 0 && this.#freshen() === undefined) {
      return null;
    }
    return andThen(this.on(delivery), (pause) => {
      const dueAt = new Date(this.#clock.now() + CHECKED_MS);
      return pause === null ? null : ({ outcome: "wait", dueAt, reason: "paused", source: BY_OPERATOR } as const);
    });
  }

  #freshen(): MaybePromise<void> {
    const nowMs = this.#clock.now();
    // The distance counts, because a clock may go back.
    if (Math.abs(nowMs - this.#readMs) < FRESH_MS) {
      return;
    }
    this.#reading ??= this.#read(nowMs, this.#changes);
    return this.#reading;
  }

  async #read(nowMs: number, changes: number): Promise<void> {
    try {
      const known = await this.#holds.pauses();
      if (changes === this.#changes) {
        this.#known = known.filter(({ resumedAt }) => resumedAt === null);
        this.#readMs = nowMs;
        this.#isKnown = true;
      }
    } catch (error) {
      // A delivery that was claimed a moment ago need not wait for its lease to end: what was known before counts until the next look.
      if (changes === this.#changes) {
        if (!this.#isKnown) {
          throw error;
        }
        this.#readMs = nowMs;
      }
    } finally {
      if (changes === this.#changes) {
        this.#reading = null;
      }
    }
    if (changes !== this.#changes) {
      await this.#freshen();
    }
  }
}
