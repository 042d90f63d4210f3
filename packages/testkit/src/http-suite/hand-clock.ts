import { type Clock, systemClock } from "@belfry/core";

/** The system's clock, which a test can move ahead: timers that are due by then run at once. */
export class HandClock implements Clock {
  #aheadMs = 0;
  readonly #tasks = new Set<{ atMs: number; task: () => void }>();

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = {
      atMs: this.now() + delayMs,
      task: () => {
        cancel();
        task();
      },
    };
    const cancelTimer = systemClock.after(delayMs, entry.task);
    const cancel = () => {
      cancelTimer();
      this.#tasks.delete(entry);
    };
    this.#tasks.add(entry);
    return cancel;
  }

  /** Moves the clock ahead, a second at a time, and runs the timers that become due. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1_000) {
      this.#aheadMs += 1_000;
      const due = [...this.#tasks].filter(({ atMs }) => atMs <= this.now());
      for (const entry of due) {
        entry.task();
      }
    }
  }
}
