import type { Clock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";
import type { Logger } from "../foundation/logger.ts";

/**
 * Counts what somebody may do in a time: what the limiters of the rate-limiter-flexible package are, in memory, or over
 * the host's Redis or PostgreSQL. Rejects with `{ msBeforeNext }` when there is nothing left, with an error when its
 * store cannot be reached.
 */
export interface RateLimiter {
  consume(key: string, points?: number): Promise<unknown>;
}

/** How many bad credentials an address may present in a minute. */
const BAD_CREDENTIALS = 100;
/** What takes over from a limiter whose store is out of reach is generous: it is there to stop floods. */
const TAKE_OVER = 600;
const WINDOW_MS = 60_000;
const MAX_KEYS = 100_000;

/** A limiter of this process alone, over windows of a minute. */
class LocalLimiter implements RateLimiter {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #counts = new Map<string, number>();
  #windowEndsMs = 0;

  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  async consume(key: string): Promise<void> {
    const nowMs = this.#clock.now();
    if (nowMs >= this.#windowEndsMs || this.#counts.size >= MAX_KEYS) {
      this.#counts.clear();
      this.#windowEndsMs = nowMs + WINDOW_MS;
    }
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count > this.#limit) {
      throw Object.assign(new Error("The limit of this window is used up."), { msBeforeNext: this.#windowEndsMs - nowMs });
    }
  }
}

/** What limits work with. */
export interface RateLimitsOptions {
  readonly creates: RateLimiter | undefined;
  readonly badCredentials: RateLimiter | false | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The limits of one handler. */
export class RateLimits {
  readonly #creates: RateLimiter | null;
  readonly #badCredentials: RateLimiter | null;
  readonly #takeOver: RateLimiter;
  readonly #logger: Logger;

  constructor({ creates, badCredentials, clock, logger }: RateLimitsOptions) {
    this.#creates = creates ?? null;
    this.#badCredentials = badCredentials === false ? null : (badCredentials ?? new LocalLimiter(BAD_CREDENTIALS, clock));
    this.#takeOver = new LocalLimiter(TAKE_OVER, clock);
    this.#logger = logger;
  }

  /** Counts a create of a client; throws `RATE_LIMITED`. */
  async create(tenant: string): Promise<void> {
    if (this.#creates) {
      await this.#consume(this.#creates, `create:${tenant}`);
    }
  }

  /** Counts a bad credential from an address; throws `RATE_LIMITED`. */
  async badCredential(address: string | undefined): Promise<void> {
    if (this.#badCredentials) {
      await this.#consume(this.#badCredentials, `bad:${address ?? "unknown"}`);
    }
  }

  async #consume(limiter: RateLimiter, key: string): Promise<void> {
    try {
      await limiter.consume(key);
    } catch (rejection) {
      const waitMs = waitOf(rejection);
      if (waitMs !== null) {
        throw limited(waitMs);
      }
      this.#logger.warn({ error: rejection }, "A rate limiter's store cannot be reached; a limiter of this process takes over.");
      if (limiter !== this.#takeOver) {
        await this.#consume(this.#takeOver, key);
      }
    }
  }
}

function waitOf(rejection: unknown): number | null {
  const isWait = typeof rejection === "object" && rejection !== null && "msBeforeNext" in rejection;
  return isWait && typeof rejection.msBeforeNext === "number" ? Math.max(0, rejection.msBeforeNext) : null;
}

function limited(waitMs: number): BelfryError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return new BelfryError("RATE_LIMITED", `Too many requests. Try again in ${seconds} seconds.`, { details: { retry_after_ms: waitMs } });
}
