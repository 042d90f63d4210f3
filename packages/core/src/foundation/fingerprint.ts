import type { JsonValue } from "./json.ts";

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
