import { randomBytes } from "node:crypto";

const POOL_BYTES = 8_192;
const COUNTS = Array.from({ length: 0x1000 }, (_, count) => count.toString(16).padStart(3, "0"));
let pool = "";
let at = 0;
let lastMs = 0;
let counter = 0;
let time = "";

/** A UUIDv7 as fast as it can be made by hand: random digits come from a pool of text, the time is written once, and a counter keeps the order. */
export function rawUuidV7(nowMs: number): string {
  if (at + 16 > pool.length) {
    pool = randomBytes(POOL_BYTES).toString("hex");
    at = 0;
  }
  if (nowMs === lastMs) {
    counter = (counter + 1) & 0xfff;
  } else {
    const digits = nowMs.toString(16).padStart(12, "0");
    time = `${digits.slice(0, 8)}-${digits.slice(8)}-7`;
    counter = 0;
    lastMs = nowMs;
  }
  at += 16;
  return `${time}${COUNTS[counter]}-a${pool.slice(at - 15, at - 12)}-${pool.slice(at - 12, at)}`;
}
