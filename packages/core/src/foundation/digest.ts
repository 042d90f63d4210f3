import type { JsonValue } from "./json.ts";

/** The SHA-256 of `text`, in UTF-8. */
export async function sha256(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** The SHA-256 of `text`, in UTF-8, as lowercase hexadecimal. */
export async function digest(text: string): Promise<string> {
  return toHex(await sha256(text));
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

const DIGITS = new TextEncoder().encode("0123456789abcdef");
const decoder = new TextDecoder();
/** From so many bytes on, a decoder is faster than to join texts. */
const MANY_BYTES = 128;

/** Lowercase hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length >= MANY_BYTES) {
    const digits = new Uint8Array(2 * bytes.length);
    for (let index = 0; index < bytes.length; index += 1) {
      const byte = bytes[index] as number;
      digits[2 * index] = DIGITS[byte >> 4] as number;
      digits[2 * index + 1] = DIGITS[byte & 0xf] as number;
    }
    return decoder.decode(digits);
  }
  let text = "";
  for (const byte of bytes) {
    text += HEX[byte];
  }
  return text;
}

/** Base64 as in URLs, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** The bytes of {@link toBase64Url}; null for a text that it cannot have made. */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[\w-]+$/.test(text)) {
    return null;
  }
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
    // Of several texts for the same bytes, one is right.
    return toBase64Url(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}

/** So many random bytes, as lowercase hexadecimal. */
export function randomHex(bytes: number): string {
  return toHex(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** A short text that tells lists of values apart. It finds mistakes; it is no proof against anybody who wants two alike. */
export function fingerprint(values: readonly JsonValue[]): string {
  return fnv1a(JSON.stringify(values)).toString(36);
}

const encoder = new TextEncoder();
/** Room for the bytes of a text that is hashed. Longer ones get a list of their own. */
const room = new Uint8Array(4_096);
const MAX_UTF8_BYTES = 3;

/** FNV-1a, 64 bits (draft-eastlake-fnv, 2). In two halves of 32 bits: a BigInt for each byte costs twenty times as much. */
function fnv1a(text: string): bigint {
  const bytes = text.length * MAX_UTF8_BYTES > room.length ? encoder.encode(text) : room;
  const length = bytes === room ? encoder.encodeInto(text, room).written : bytes.length;
  let high = 0xcbf29ce4 | 0;
  let low = 0x84222325 | 0;
  for (let at = 0; at < length; at += 1) {
    // The prime is 2^40 + 0x1b3. The products of 16 bits each stay whole numbers of 32 bits, which are fast.
    const mixed = low ^ (bytes[at] as number);
    const lower = (mixed & 0xffff) * 0x1b3;
    const upper = (mixed >>> 16) * 0x1b3 + (lower >>> 16);
    high = (Math.imul(high, 0x1b3) + (mixed << 8) + (upper >>> 16)) | 0;
    low = (upper << 16) | (lower & 0xffff);
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
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
