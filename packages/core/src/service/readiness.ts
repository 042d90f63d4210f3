import type { Clock } from "../foundation/clock.ts";
import { Cancellation, withinTime } from "../work/timing.ts";
import type { Lifecycle, UnreadyReason } from "./lifecycle.ts";
import type { Storage } from "./storage.ts";

/** Whether requests should be sent to a process. */
export interface Readiness {
  readonly isReady: boolean;
  /** Null for a process that is ready. */
  readonly reason: UnreadyReason | null;
}

/** How long an answer of the database counts: however often it is asked for, the database is asked once in this time. */
const FRESH_MS = 1_000;
/** How long the database may take to answer. */
const TIMEOUT_MS = 2_000;

/** The parts that a {@link ReadinessCheck} uses. */
interface ReadinessParts {
  readonly storage: Pick<Storage, "ping">;
  readonly lifecycle: Pick<Lifecycle, "unreadyReason">;
  readonly clock: Clock;
}

/** Finds out whether a process is ready. Anybody may ask, so those who ask at once share an answer. */
export class ReadinessCheck {
  readonly #parts: ReadinessParts;
  #asking: Promise<boolean> | null = null;
  #answer: { readonly atMs: number; readonly isReachable: boolean } | null = null;

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
  }

  async ask(): Promise<Readiness> {
    const { lifecycle } = this.#parts;
    const reason = lifecycle.unreadyReason ?? ((await this.#isReachable()) ? null : "database");
    return { isReady: reason === null, reason };
  }

  #isReachable(): Promise<boolean> | boolean {
    const { clock } = this.#parts;
    const last = this.#answer;
    // The distance counts, because a clock may go back.
    if (last !== null && Math.abs(clock.now() - last.atMs) < FRESH_MS) {
      return last.isReachable;
    }
    this.#asking ??= this.#ping().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ping(): Promise<boolean> {
    const { storage, clock } = this.#parts;
    const limit = { timeoutMs: TIMEOUT_MS, clock, cancellation: new Cancellation() };
    // Why it does not answer is in the log: what the service does beside fails, too.
    const isReachable = await withinTime(() => storage.ping(TIMEOUT_MS), limit).then(
      () => true,
      () => false,
    );
    this.#answer = { atMs: clock.now(), isReachable };
    return isReachable;
  }
}
