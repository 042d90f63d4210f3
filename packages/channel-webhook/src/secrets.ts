import { createSecretKey, type KeyObject } from "node:crypto";
import { BelfryError } from "@belfry/core";
import type { WebhookSecret } from "./webhook-options.ts";

const PREFIX = "whsec_";
/** Shorter keys can be guessed. Standard Webhooks recommends 24 to 64 bytes. */
const MIN_KEY_BYTES = 16;

/**
 * Decodes secrets into the keys that sign, in the same order.
 * @throws `CONFIGURATION` if there is none, or one is not `whsec_` and base64; the message does not contain the secret
 */
export function signingKeys(secret: WebhookSecret): readonly KeyObject[] {
  const secrets = typeof secret === "string" ? [secret] : secret;
  if (!Array.isArray(secrets) || secrets.length === 0) {
    throw new BelfryError("CONFIGURATION", "webhook: there is no secret; give one that begins with whsec_, or a list of them");
  }
  return secrets.map(signingKey);
}

/** A key object: to make one of bytes for each signature costs several times the signature. */
function signingKey(secret: unknown, index: number): KeyObject {
  const encoded = typeof secret === "string" && secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : "";
  const key = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) ? Buffer.from(encoded, "base64") : Buffer.alloc(0);
  if (key.length < MIN_KEY_BYTES) {
    const remedy = `give whsec_ followed by at least ${MIN_KEY_BYTES} random bytes in base64, better 32`;
    throw new BelfryError("CONFIGURATION", `webhook: secret ${index + 1} cannot be used; ${remedy}`);
  }
  return createSecretKey(key);
}
