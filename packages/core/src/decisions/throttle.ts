/** How often a user may be told of something over a channel: `max` at once, then one for each `perMs / max`. */
export interface Throttle {
  /** How many may come at once, 1 or more. */
  readonly max: number;
  readonly perMs: number;
}

/** The result of asking a throttle. */
export interface ThrottleResult {
  readonly isAllowed: boolean;
  /** What to keep for the next question: the time at which the throttle would be wholly free again. */
  readonly freeAt: number;
}

/**
 * Asks a throttle whether one more may go at `at`: the generic cell rate algorithm, whose whole memory is one time. `freeAt` is
 * what it said last, null if it was never asked. A refusal uses nothing up.
 */
export function askThrottle({ max, perMs }: Throttle, freeAt: number | null, at: number): ThrottleResult {
  // In whole microseconds, as storages count: fractions of the milliseconds since 1970 would be inexact.
  const next = Math.max(Math.round((freeAt ?? at) * 1_000), at * 1_000) + Math.floor((perMs * 1_000) / max);
  return next - at * 1_000 <= perMs * 1_000 ? { isAllowed: true, freeAt: next / 1_000 } : { isAllowed: false, freeAt: freeAt ?? at };
}
