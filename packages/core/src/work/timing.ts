import { type Clock, systemClock } from "../foundation/clock.ts";
import { isRetryable } from "../foundation/errors.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";

const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1_000;
/** Retries are spread by this much either way, so that attempts that failed together do not come back together. */
const JITTER = 0.2;

/** Resolves in the next turn of the event loop, once others have had theirs. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves in the turn after the next one: what is done in the next turn goes before. */
export async function afterNextTurn(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

/** Gives out turns of the event loop, each to one caller: however many ask at once, others get their turn in between. */
export class TurnQueue {
  #last: Promise<void> = Promise.resolve();

  /** Resolves in a turn of the caller's own. */
  next(): Promise<void> {
    this.#last = this.#last.then(nextTurn);
    return this.#last;
  }
}

/** Limits how many callers work at a time. They begin in the order in which they ask, each in a turn of its own. */
export class Slots {
  readonly #turns = new TurnQueue();
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#free === 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#free -= 1;
    }
    try {
      await this.#turns.next();
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#free += 1;
      } else {
        next();
      }
    }
  }
}

/** A failed attempt. */
export interface FailedAttempt {
  /** Counted from 1. */
  readonly attempt: number;
  readonly retryAfterMs?: number | undefined;
  /** From 0 to 1. */
  readonly random: number;
}

/**
 * Returns the milliseconds until the next try after a transient failure, or null for no other try. The delay is that of the
 * schedule ±20 %, or as long as the provider asked for: at least the first delay and at most 24 hours.
 */
export function retryDelayMs(delaysMs: readonly number[], { attempt, retryAfterMs, random }: FailedAttempt): number | null {
  const delayMs = delaysMs[attempt - 1];
  if (delayMs === undefined) {
    return null;
  }
  // A missing header may have been converted to NaN, which is no wait.
  if (retryAfterMs !== undefined && Number.isFinite(retryAfterMs)) {
    return Math.round(Math.min(Math.max(retryAfterMs, delaysMs[0] ?? 0), MAX_RETRY_AFTER_MS));
  }
  return Math.round(delayMs * (1 + JITTER * (2 * random - 1)));
}

/** The work took longer than it may. */
export class OutOfTime extends Error {}

/** Ends some work early, once. It costs much less than an AbortController, and every task has one. */
export class Cancellation {
  #isAborted = false;
  #reason: unknown;
  /** Usually there is one at a time, and no set for it. */
  #listener: (() => void) | null = null;
  #others: Set<() => void> | null = null;

  get aborted(): boolean {
    return this.#isAborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Ends the work. Only the first call has an effect. */
  abort(reason?: unknown): void {
    if (!this.#isAborted) {
      this.#isAborted = true;
      this.#reason = reason;
      this.#listener?.();
      for (const listener of this.#others ?? []) {
        listener();
      }
    }
  }

  /** Calls `listener` when the work is ended. Returns a function that forgets it. */
  onAbort(listener: () => void): () => void {
    if (this.#listener === null) {
      this.#listener = listener;
      return () => {
        this.#listener = this.#listener === listener ? null : this.#listener;
      };
    }
    this.#others ??= new Set();
    this.#others.add(listener);
    return () => this.#others?.delete(listener);
  }
}

/** The time that some work may take, and what ends it earlier. */
export interface TimeLimit {
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly cancellation: Cancellation;
}

/**
 * Does `work`, which is the host's own, within its time. Rejects when it throws, takes too long or is aborted. It does not
 * wait for work that ignores its signal.
 */
export function withinTime<Result>(work: (signal: AbortSignal) => MaybePromise<Result>, limit: TimeLimit): Promise<Result> {
  const { timeoutMs, clock, cancellation } = limit;
  // One promise, because every attempt has one: a race would make several.
  return new Promise((resolve, reject) => {
    if (cancellation.aborted) {
      throw cancellation.reason;
    }
    const ends = new AbortController();
    const end = (reason: unknown) => {
      done();
      ends.abort(reason);
      reject(reason);
    };
    const cancel = clock.after(timeoutMs, () => end(new OutOfTime(`The attempt took longer than ${timeoutMs} ms.`)));
    const forget = cancellation.onAbort(() => end(cancellation.reason));
    const done = () => {
      cancel();
      forget();
    };
    const failed = (error: unknown) => {
      done();
      reject(error);
    };
    try {
      // The host's function may return something else than a promise.
      Promise.resolve(work(ends.signal)).then((result) => {
        done();
        resolve(result);
      }, failed);
    } catch (error) {
      failed(error);
    }
  });
}

const RETRY_MS = 500;

/** The limits within which the end of an attempt is recorded. */
export interface RecordingLimit extends Pick<TimeLimit, "clock"> {
  readonly leaseMs: number;
  /** Ends when the lease is lost or the worker stops: the record is tried once then, and not again. */
  readonly cancellation: Cancellation;
}

/**
 * Records the end of an attempt after that failed once. It tries for as long as the lease lasts, because nobody else makes another attempt before.
 *
 * @param error of the first try: thrown at once if another try would end no better
 */
export async function recordAgain<Result>(
  record: () => Promise<Result>,
  error: unknown,
  { leaseMs, clock, cancellation }: RecordingLimit,
): Promise<Result> {
  if (!isRetryable(error) || cancellation.aborted) {
    throw error;
  }
  const ends = new Cancellation();
  // A timer measures the lease, because the time of day may jump.
  const cancel = clock.after(leaseMs, () => ends.abort());
  const forget = cancellation.onAbort(() => ends.abort());
  try {
    for (;;) {
      await pause(clock, ends);
      try {
        return await record();
      } catch (later) {
        if (!isRetryable(later) || ends.aborted) {
          throw later;
        }
      }
    }
  } finally {
    cancel();
    forget();
  }
}

/** Resolves after a while, or at once when `ends` aborts. */
async function pause(clock: Clock, ends: Cancellation): Promise<void> {
  const { over, cancel } = awhile(clock, RETRY_MS);
  const forget = ends.onAbort(cancel);
  await over;
  forget();
}

/**
 * A wait for the database or another process: by the clock, or in real time if that is over earlier, since they go on while a clock of
 * tests stands still. `cancel` ends it at once.
 */
export function awhile(clock: Clock, delayMs: number): { readonly over: Promise<void>; cancel(): void } {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const clocks = clock === systemClock ? [clock] : [clock, systemClock];
  const timers = clocks.map((one) => one.after(delayMs, () => cancel()));
  const cancel = () => {
    for (const end of timers) {
      end();
    }
    resolve();
  };
  return { over, cancel };
}
