import type { Clock } from "./clock.ts";
import { randomHex, sha256, toHex } from "./digest.ts";
import { BelfryError } from "./errors.ts";

/** The source of ids. */
export interface Ids {
  /** A new UUIDv7, greater than every one this instance gave before. */
  next(): string;
}

const MAX_COUNTER = 0xfff;

/**
 * UUIDv7 (RFC 9562, 5.7) that never repeats or goes backwards within one process: within a millisecond, and while the
 * clock stands behind the last id, the 12 bits after the version count up; when they run out, the time part moves on.
 *
 * @example
 * ```ts
 * const newId = uuidV7(systemClock);
 * ```
 */
export function uuidV7(clock: Clock): Ids {
  if (typeof clock?.now !== "function") {
    throw new BelfryError("CONFIGURATION", "uuidV7 takes a clock: an object with now(), in milliseconds since 1970.");
  }
  let lastMs = 0;
  let counter = 0;
  return {
    next() {
      const nowMs = clock.now();
      if (nowMs > lastMs) {
        lastMs = nowMs;
        // Start low, so that a burst within the millisecond has room to count.
        counter = Number.parseInt(randomDigits(3), 16) & 0x3ff;
      } else if (counter === MAX_COUNTER) {
        lastMs += 1;
        counter = 0;
      } else {
        counter += 1;
      }
      return format(lastMs, counter, randomDigits(16));
    },
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Whether `text` has the form of a UUID of any version.
 *
 * @example
 * ```ts
 * isUuid("01939b1c-7a3e-7c5d-8f3a-2b1c4d5e6f70"); // true
 * ```
 */
export function isUuid(text: string): boolean {
  return typeof text === "string" && UUID.test(text);
}

/** When a UUIDv7 was made, in milliseconds since 1970. */
export function uuidTimeMs(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/**
 * A UUIDv7 that follows from another one: the same for the same `seed`, another one for another, with the time of `id`. What is
 * created by it can be created again after a crash without being there twice.
 */
export async function derivedUuid(id: string, seed: string): Promise<string> {
  const bytes = await sha256(`${id}/${seed}`);
  return format(uuidTimeMs(id), ((bytes[8] ?? 0) << 4) | ((bytes[9] ?? 0) & 0xf), toHex(bytes.subarray(0, 8)));
}

// To ask the system for random bytes, and to write them as text, costs more than the rest of an id: a page at a time.
const POOL_BYTES = 4_096;
let pool = "";
let poolAt = 0;

/** So many random hexadecimal digits. */
function randomDigits(count: number): string {
  if (poolAt + count > pool.length) {
    pool = randomHex(POOL_BYTES);
    poolAt = 0;
  }
  poolAt += count;
  return pool.slice(poolAt - count, poolAt);
}

const VARIANTS = "89ab";
const DIGITS = "0123456789abcdef";

/** The first part of the last id, which those of the same millisecond share. */
let start = "";
let startMs = Number.NaN;

/** @param rest 16 hexadecimal digits */
function format(timeMs: number, counter: number, rest: string): string {
  if (timeMs !== startMs) {
    const time = timeMs.toString(16).padStart(12, "0");
    start = `${time.slice(0, 8)}-${time.slice(8)}-`;
    startMs = timeMs;
  }
  // The first two bits of the variant are 10.
  const variant = VARIANTS[DIGITS.indexOf(rest.charAt(0)) & 0x3] ?? "8";
  // With the version, 7, before the twelve bits of the counter.
  return `${start}${(0x7000 | counter).toString(16)}-${variant}${rest.slice(1, 4)}-${rest.slice(4)}`;
}
