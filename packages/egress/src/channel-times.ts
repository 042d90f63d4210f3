/** The longest time that timers take, some 24 days. */
const LONGEST_MS = 2_147_483_647;

/** The times of a channel: how long an attempt may take, and the pauses before further ones. */
export interface ChannelTimes {
  readonly timeoutMs: number;
  /** @default the channel's own */
  readonly retryDelaysMs?: readonly number[] | undefined;
}

/**
 * Returns what is wrong with the times that a host gave a channel, with the value, or null.
 *
 * @example
 * ```ts
 * const fault = faultOfTimes({ timeoutMs: 1.5 });
 * if (fault !== null) {
 *   throw new Error(`The channel "pager": ${fault}`);
 * }
 * ```
 */
export function faultOfTimes({ timeoutMs, retryDelaysMs = [] }: ChannelTimes): string | null {
  if (!(Number.isSafeInteger(timeoutMs) && timeoutMs > 0 && timeoutMs <= LONGEST_MS)) {
    return `timeoutMs must be a whole number of milliseconds from 1 to ${LONGEST_MS}, is ${shown(timeoutMs)}`;
  }
  if (!Array.isArray(retryDelaysMs)) {
    return `retryDelaysMs must be a list of milliseconds from 0, is ${shown(retryDelaysMs)}`;
  }
  const wrong = retryDelaysMs.findIndex((delayMs) => !(Number.isFinite(delayMs) && delayMs >= 0));
  return wrong === -1 ? null : `retryDelaysMs must be a list of milliseconds from 0, has ${shown(retryDelaysMs[wrong])}`;
}

/** A value in words: text in quotes, and what has no short form by its type. */
function shown(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.slice(0, 100));
  }
  const isShort = typeof value === "number" || typeof value === "boolean" || value === null || value === undefined;
  return isShort ? String(value) : `of the type ${typeof value}`;
}
