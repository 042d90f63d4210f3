import { BelfryError, type Clock } from "@belfry/core";

/** Lets everything happen that waits for nothing but its turn of the event loop. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** With a time zone: a local time would mean another moment on every machine. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/i;
const LAST_MS = Date.UTC(10_000, 0) - 1;

interface Timer {
  readonly atMs: number;
  readonly task: () => void;
  /** For a look that comes again and again, how many things had happened when it was set; null for what has its time. */
  readonly lookAfter: number | null;
}

/** A clock that stands still until a test moves it. It is for the option `clock` of a service. */
export class TestClock implements Clock {
  #nowMs: number;
  #timers: Timer[] = [];
  /** How many moves and timers there were; looks do not count. */
  #happened = 0;

  /** Tests call {@link testClock}. */
  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void, purpose?: "look"): () => void {
    const timer = { atMs: this.#nowMs + delayMs, task, lookAfter: purpose === "look" ? this.#happened : null };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  /** How many timers wait for their time. */
  get pending(): number {
    return this.#timers.length;
  }

  /**
   * Moves on by `ms` milliseconds. Timers that fall due on the way run in their order, each at its own time. A running service
   * looks every few seconds for what nobody told it of; of these looks, only those run that come after something else has happened,
   * and one at the end.
   *
   * @throws BelfryError `CONFIGURATION` for what is no number from 0
   */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#later("pass", ms);
    await this.#runTimers(untilMs, (atMs) => atMs);
    this.#nowMs = untilMs;
  }

  /**
   * Moves on to a time, as {@link pass} does.
   *
   * @param time a Date, or a text in ISO 8601 with a time zone, such as `2030-01-31T12:00:00Z`
   * @throws BelfryError `CONFIGURATION` for what is no time, and for a time that is over
   */
  async passTo(time: Date | string): Promise<void> {
    await this.pass(this.#msUntil("passTo", time));
  }

  /**
   * Moves on by `ms` milliseconds at once, like the clock of a computer that slept. Each timer that fell due on the way runs once,
   * in its order and after the move.
   *
   * @throws BelfryError `CONFIGURATION` for what is no number from 0
   */
  async skip(ms: number): Promise<void> {
    const untilMs = this.#later("skip", ms);
    this.#nowMs = untilMs;
    await this.#runTimers(untilMs, () => untilMs);
  }

  /** Moves on to a time, as {@link skip} does. It takes and throws what {@link passTo} does. */
  async skipTo(time: Date | string): Promise<void> {
    await this.skip(this.#msUntil("skipTo", time));
  }

  async #runTimers(untilMs: number, timeOf: (atMs: number) => number): Promise<void> {
    this.#happened += 1;
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      await this.#run(next, timeOf(next.atMs));
    }
    for (const look of this.#timers.filter(({ atMs }) => atMs <= untilMs)) {
      if (this.#timers.includes(look)) {
        await this.#run(look, untilMs);
      }
    }
  }

  /** The first timer that is due by then, without looks after which nothing has happened. */
  #next(untilMs: number): Timer | undefined {
    const isDue = ({ atMs, lookAfter }: Timer) => atMs <= untilMs && lookAfter !== this.#happened;
    return this.#timers.filter(isDue).toSorted((left, right) => left.atMs - right.atMs)[0];
  }

  async #run(timer: Timer, atMs: number): Promise<void> {
    this.#timers = this.#timers.filter((one) => one !== timer);
    this.#nowMs = Math.max(this.#nowMs, atMs);
    this.#happened += timer.lookAfter === null ? 1 : 0;
    timer.task();
    await turns(3);
  }

  #later(verb: string, ms: number): number {
    const laterMs = this.#nowMs + ms;
    if (typeof ms !== "number" || !(ms >= 0 && laterMs <= LAST_MS)) {
      const got = typeof ms === "number" ? String(ms) : `a value of the type ${typeof ms}`;
      throw this.#refusal(`${verb} takes milliseconds: a number from 0 that leads no further than the year 9999; got ${got}`);
    }
    return laterMs;
  }

  #msUntil(verb: string, time: Date | string): number {
    const atMs = time instanceof Date || (typeof time === "string" && ISO_TIME.test(time)) ? new Date(time).getTime() : Number.NaN;
    if (!(atMs >= this.#nowMs && atMs <= LAST_MS)) {
      const other = typeof time === "string" ? JSON.stringify(time.slice(0, 64)) : `a value of the type ${typeof time}`;
      const got = Number.isNaN(atMs) ? (time instanceof Date ? "a Date of no time" : other) : new Date(atMs).toISOString();
      throw this.#refusal(`${verb} takes a Date, or a text such as "2030-01-31T12:00:00Z", of now or later; got ${got}`);
    }
    return atMs - this.#nowMs;
  }

  #refusal(rule: string): BelfryError {
    const now = new Date(this.#nowMs).toISOString();
    return new BelfryError("CONFIGURATION", `A test clock only moves on, and it is ${now}: ${rule}.`);
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
