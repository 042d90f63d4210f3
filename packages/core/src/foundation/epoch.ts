import { randomHex } from "./digest.ts";

/** 48 random bits: two numberings of one inbox share an epoch once in some 10^14 times. */
const EPOCH_BYTES = 6;

/**
 * A random epoch for the numbering of an inbox: 12 hexadecimal digits. Storages give every inbox one with its first
 * item, and a new one when its numbers may repeat. By its length it is never the epoch of an inbox without items.
 */
export function newEpoch(): string {
  return randomHex(EPOCH_BYTES);
}
