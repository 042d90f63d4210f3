import type { Clock } from "@belfry/core";

/** Lets everything happen that waits for nothing but its turn. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A clock that stands still until the test moves it. */
export class HandClock implements Clock {
  #nowMs: number;
  #tasks: { readonly atMs: number; readonly task: () => void }[] = [];

  constructor(nowMs = Date.UTC(2030, 0, 1)) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((one) => one !== entry);
    };
  }

  /** How many tasks wait for their time. */
  get pending(): number {
    return this.#tasks.length;
  }

  /** Moves on to `ms` later, and runs what falls due on the way; lets each do what it waits for nothing to do. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#tasks.toSorted((left, right) => left.atMs - right.atMs)[0];
      if (next === undefined || next.atMs > untilMs) {
        break;
      }
      this.#tasks = this.#tasks.filter((one) => one !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.task();
      await turns(3);
    }
    this.#nowMs = untilMs;
  }

  /** Moves on, a second at a time, until `isOver`; false if it is not within ten minutes. */
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
