/**
 * Returns a time from `delayMs` to twice as long, another one for each client that is told to come back: those of a process that ended would
 * all come at once otherwise.
 *
 * @param random a number from 0 to 1, drawn anew for each
 */
export function spreadMs(delayMs: number, random: number): number {
  return Math.round(delayMs * (1 + random));
}
