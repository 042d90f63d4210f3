import type { Clock } from "./clock.ts";

/** Where Belfry takes ids from. */
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
      return format(lastMs, counter);
    },
  };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether `text` has the form of a UUID of any version. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

function format(timeMs: number, counter: number): string {
  const time = timeMs.toString(16).padStart(12, "0");
  const tail = crypto.getRandomValues(new Uint8Array(8));
  // The variant bits: 10xxxxxx.
  tail[0] = ((tail[0] ?? 0) & 0x3f) | 0x80;
  const random = Array.from(tail, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const version = `7${counter.toString(16).padStart(3, "0")}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${random.slice(0, 4)}-${random.slice(4)}`;
}

function randomInt(mask: number): number {
  const [value = 0] = crypto.getRandomValues(new Uint16Array(1));
  return value & mask;
}
