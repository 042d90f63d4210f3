import { BelfryError, type Clock } from "@belfry/core";

/** Lets everything happen that waits for nothing but its turn of the event loop. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A clock that stands still until a test moves it. It is for the option `clock` of a service. */
export class TestClock implements Clock {
  #nowMs: number;
  #timers: { readonly atMs: number; readonly task: () => void }[] = [];

  /** Tests call {@link testClock}. */
  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** How many timers wait for their time. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Moves on by `ms` milliseconds. Timers that fall due on the way run in their order, each at its own time. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.toSorted((left, right) => left.atMs - right.atMs)[0];
      if (next === undefined || next.atMs > untilMs) {
        break;
      }
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.task();
      await turns(3);
    }
    this.#nowMs = untilMs;
  }

  /** Moves on to a time, as {@link pass} does. @throws BelfryError `CONFIGURATION` for a time that is over */
  async passTo(time: Date): Promise<void> {
    const ms = time.getTime() - this.#nowMs;
    if (!(ms >= 0)) {
      const to = Number.isNaN(ms) ? "no time" : time.toISOString();
      throw new BelfryError(
        "CONFIGURATION",
        `A test clock only moves on: it is ${new Date(this.#nowMs).toISOString()}, and was told ${to}.`,
      );
    }
    await this.pass(ms);
  }

  /** Moves on, a second at a time, until `isOver`. Returns false if it is not within ten minutes. */
  async until(isOver: () => boolean | Promise<boolean>): Promise<boolean> {
    for (let second = 0; second < 600; second += 1) {
      await turns(3);
      if (await isOver()) {
        return true;
      }
      await this.pass(1_000);
    }
    return false;
  }
}

/**
 * Makes a clock that stands still until the test moves it, with its timers.
 *
 * @param start the time that it stands at. @default 2030-01-01T00:00:00Z, a Tuesday
 * @example
 * ```ts
 * const clock = testClock();
 * const notifications = new NotificationService({ storage: sqliteStorage(":memory:"), clock });
 * await clock.pass(3_600_000);
 * await notifications.runDue();
 * ```
 */
export function testClock(start: Date = new Date(Date.UTC(2030, 0, 1))): TestClock {
  const nowMs = start instanceof Date ? start.getTime() : Number.NaN;
  if (Number.isNaN(nowMs)) {
    throw new BelfryError("CONFIGURATION", 'testClock takes the time to start at as a Date, such as new Date("2030-01-01T09:00:00Z").');
  }
  return new TestClock(nowMs);
}
