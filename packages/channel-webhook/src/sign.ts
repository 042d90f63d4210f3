import { createHmac, type KeyObject } from "node:crypto";

/** The parts that a Standard Webhooks signature covers. */
export interface SignedParts {
  readonly id: string;
  /** In seconds since 1970, as in the header. */
  readonly timestamp: string;
  readonly body: string | Uint8Array;
}

/** The digest of the parts under one key, without its version. */
export function digest(parts: SignedParts, key: KeyObject): Buffer {
  return createHmac("sha256", key).update(`${parts.id}.${parts.timestamp}.`).update(parts.body).digest();
}

/** The value of `webhook-signature`: one signature for each key, in the order of the keys. */
export function signatureHeader(parts: SignedParts, keys: readonly KeyObject[]): string {
  return keys.map((key) => `v1,${digest(parts, key).toString("base64")}`).join(" ");
}
