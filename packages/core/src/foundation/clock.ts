/** The source of time. Tests pass a clock that they move by hand. */
export interface Clock {
  /** The present time, in milliseconds since 1970, UTC. */
  now(): number;
  /**
   * Runs `task` once after `delayMs`, unless the returned function is called first. Must not keep the process alive.
   *
   * @param purpose `look` for a task that only looks for what nobody told it of, and does so again and again. A clock of tests
   *   may leave some of these looks out. @default a task that has its time
   */
  after(delayMs: number, task: () => void, purpose?: "look"): () => void;
}

/** The longest delay that timers take, some 24 days: with a longer one they run at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The machine's own clock and timers. What has longer than a timer lasts is run when that is over. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, Math.min(delayMs, LONGEST_TIMER_MS));
    timer.unref?.();
    return () => clearTimeout(timer);
  },
};
