import type { Clock } from "./clock.ts";
import { sha256, toHex } from "./digest.ts";
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
        counter = randomInt(0x3ff);
      } else if (counter === MAX_COUNTER) {
        lastMs += 1;
        counter = 0;
      } else {
        counter += 1;
      }
      return format(lastMs, counter, randomBytes(8));
    },
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether `text` has the form of a UUID of any version. */
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
  return format(uuidTimeMs(id), ((bytes[8] ?? 0) << 4) | ((bytes[9] ?? 0) & 0xf), bytes);
}

// Asking the system for random bytes costs more than the rest of an id: they are taken a page at a time.
const pool = new Uint8Array(4_096);
let poolAt = pool.length;

function randomBytes(count: number): Uint8Array {
  if (poolAt + count > pool.length) {
    crypto.getRandomValues(pool);
    poolAt = 0;
  }
  poolAt += count;
  return pool.slice(poolAt - count, poolAt);
}

function format(timeMs: number, counter: number, rest: Uint8Array): string {
  const time = timeMs.toString(16).padStart(12, "0");
  // The variant bits: 10xxxxxx.
  const tail = rest.slice(0, 8);
  tail[0] = ((tail[0] ?? 0) & 0x3f) | 0x80;
  const random = toHex(tail);
  const version = `7${counter.toString(16).padStart(3, "0")}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${random.slice(0, 4)}-${random.slice(4)}`;
}

function randomInt(mask: number): number {
  const [low = 0, high = 0] = randomBytes(2);
  return ((high << 8) | low) & mask;
}
