import { createPrivateKey } from "node:crypto";
import { BelfryError, requireOptions } from "@belfry/core";
import type { MailSignature } from "./mail-sender.ts";

/** Shorter keys are broken, and refused by those who read the signature. */
const KEY_BITS = 1_024;
const LABELS = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/i;

/** Checks how mails are signed. It never quotes the key. @throws `CONFIGURATION` */
export function checkSignature(dkim: MailSignature): MailSignature {
  requireOptions("email's dkim", dkim, { domainName: true, keySelector: true, privateKey: true } satisfies Record<
    keyof MailSignature,
    true
  >);
  for (const name of ["domainName", "keySelector"] as const) {
    if (typeof dkim[name] !== "string" || !LABELS.test(dkim[name])) {
      throw new BelfryError("CONFIGURATION", `email: dkim.${name} is no name in the DNS`);
    }
  }
  if (bitsOf(dkim.privateKey) < KEY_BITS) {
    throw new BelfryError("CONFIGURATION", `email: dkim.privateKey is not an RSA key of at least ${KEY_BITS} bits as PEM`);
  }
  return dkim;
}

/** The length of an RSA key; 0 for any other text. */
function bitsOf(pem: string): number {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === "rsa" ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : 0;
  } catch {
    // The error may quote a part of the key.
    return 0;
  }
}
