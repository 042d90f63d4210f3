import type { JsonValue } from "./json.ts";

/** The SHA-256 of `text`, in UTF-8. */
export async function sha256(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** The SHA-256 of `text`, in UTF-8, as lowercase hexadecimal. */
export async function digest(text: string): Promise<string> {
  return toHex(await sha256(text));
}

/** Lowercase hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** So many random bytes, as lowercase hexadecimal. */
export function randomHex(bytes: number): string {
  return toHex(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** A short text that tells lists of values apart. It finds mistakes; it is no proof against anybody who wants two alike. */
export function fingerprint(values: readonly JsonValue[]): string {
  return fnv1a(JSON.stringify(values)).toString(36);
}

/** FNV-1a, 64 bits (draft-eastlake-fnv, 2). */
function fnv1a(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}

/** 48 random bits: two numberings of one inbox share an epoch once in some 10^14 times. */
const EPOCH_BYTES = 6;

/**
 * A random epoch for the numbering of an inbox: 12 hexadecimal digits. Storages give every inbox one with its first
 * item, and a new one when its numbers may repeat. By its length it is never the epoch of an inbox without items.
 */
export function newEpoch(): string {
  return randomHex(EPOCH_BYTES);
}
