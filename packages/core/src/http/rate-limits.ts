import type { Clock } from "../foundation/clock.ts";
import { digest } from "../foundation/digest.ts";
import { BelfryError } from "../foundation/errors.ts";
import { RepeatedLines } from "../foundation/repeated-lines.ts";
import type { HandlerSettings, RateLimiter } from "./handler-options.ts";

/** The most bad credentials that an address may present in a minute. */
const BAD_CREDENTIALS = 100;
/** The limit while a limiter's store is out of reach. It is generous, because it only has to stop floods. */
const TAKE_OVER = 600;
const WINDOW_MS = 60_000;
const MAX_KEYS = 100_000;
const MAX_GOOD = 10_000;

/** A limiter that counts in this process, over windows of a minute. */
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

/** A presented credential, with the address it came from. */
export interface Guess {
  /** Null for an unknown or private address, because many callers stand behind it. It is asked only where guesses matter. */
  address(): string | null;
  readonly credential: string;
}

/** The limits of one handler. */
export class RateLimits {
  readonly #creates: RateLimiter | null;
  readonly #badCredentials: RateLimiter | null;
  readonly #takeOver: RateLimiter;
  readonly #clock: Clock;
  readonly #lines: RepeatedLines;
  /** Addresses that guessed too often, with the end of their block. */
  readonly #blockedUntilMs = new Map<string, number>();
  /** Digests of credentials that were good while somebody guessed. Callers with these credentials pass. */
  readonly #good = new Set<string>();
  #isGuessedUntilMs = Number.NEGATIVE_INFINITY;

  constructor({ rateLimiter, badCredentialLimiter: given, clock, logger }: HandlerSettings) {
    this.#creates = rateLimiter ?? null;
    this.#badCredentials = given === false ? null : (given ?? new LocalLimiter(BAD_CREDENTIALS, clock));
    this.#takeOver = new LocalLimiter(TAKE_OVER, clock);
    this.#clock = clock;
    this.#lines = new RepeatedLines(logger, clock);
  }

  /** Counts a create of a client; throws `RATE_LIMITED`. */
  async create(tenant: string): Promise<void> {
    const waitMs = this.#creates && (await this.#consume(this.#creates, `create:${tenant}`));
    if (waitMs !== null) {
      throw limited(waitMs);
    }
  }

  /** Whether {@link beforeLookUp} may refuse anybody. */
  get isAnyBlocked(): boolean {
    return this.#blockedUntilMs.size > 0;
  }

  /** Throws `RATE_LIMITED` for an address that has guessed too often, unless the credential was good before. */
  async beforeLookUp(guess: Guess): Promise<void> {
    const { credential } = guess;
    if (credential === "") {
      return;
    }
    const address = guess.address();
    const untilMs = address === null ? undefined : this.#blockedUntilMs.get(address);
    if (address === null || untilMs === undefined) {
      return;
    }
    const waitMs = untilMs - this.#clock.now();
    if (waitMs <= 0) {
      this.#blockedUntilMs.delete(address);
    } else if (!this.#good.has(await digest(credential))) {
      throw limited(waitMs);
    }
  }

  /** Whether somebody guesses now, so that good credentials are to be remembered. */
  get isGuessed(): boolean {
    // Usually nobody ever did: then it needs no clock.
    return this.#isGuessedUntilMs !== Number.NEGATIVE_INFINITY && this.#isGuessedUntilMs > this.#clock.now();
  }

  /** Remembers a good credential. */
  async goodCredential({ credential }: Guess): Promise<void> {
    if (this.#good.size >= MAX_GOOD) {
      this.#good.clear();
    }
    this.#good.add(await digest(credential));
  }

  /** Counts a bad credential from an address. Throws `RATE_LIMITED` after too many. */
  async badCredential(guess: Guess): Promise<void> {
    const address = this.#badCredentials === null ? null : guess.address();
    if (this.#badCredentials === null || address === null) {
      return;
    }
    this.#isGuessedUntilMs = this.#clock.now() + 2 * WINDOW_MS;
    const waitMs = await this.#consume(this.#badCredentials, `bad:${address}`);
    if (waitMs !== null) {
      if (this.#blockedUntilMs.size >= MAX_KEYS) {
        this.#blockedUntilMs.clear();
      }
      this.#blockedUntilMs.set(address, this.#clock.now() + waitMs);
      throw limited(waitMs);
    }
  }

  /** Asks a limiter. Returns how long to wait, or null if the action may happen. */
  async #consume(limiter: RateLimiter, key: string): Promise<number | null> {
    try {
      await limiter.consume(key);
      return null;
    } catch (rejection) {
      const waitMs = waitOf(rejection);
      if (waitMs !== null || limiter === this.#takeOver) {
        return waitMs;
      }
      this.#lines.warn({ error: rejection }, "A rate limiter's store cannot be reached; a limiter of this process takes over.");
      return this.#consume(this.#takeOver, key);
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
