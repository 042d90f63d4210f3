import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { BelfryError } from "@belfry/core";

/** A key that signs tokens. */
export interface TokenKey {
  readonly algorithm: "ES256" | "RS256";
  readonly key: KeyObject;
  /** Names the key to whoever checks the token; null for none. */
  readonly keyId: string | null;
}

const part = (json: object) => Buffer.from(JSON.stringify(json)).toString("base64url");

/** Signs a JSON Web Token. */
export function signedToken({ algorithm, key, keyId }: TokenKey, claims: object): string {
  const header = { alg: algorithm, typ: "JWT", ...(keyId === null ? {} : { kid: keyId }) };
  const text = `${part(header)}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

/** Reads a private key in PEM. @throws BelfryError `CONFIGURATION`, without a word of the key */
export function privateKey(whose: string, pem: unknown, type: "ec" | "rsa"): KeyObject {
  const key = readKey(pem);
  if (key?.asymmetricKeyType !== type) {
    throw new BelfryError("CONFIGURATION", `${whose} is not a private key in PEM, of the kind ${type}.`);
  }
  return key;
}

function readKey(pem: unknown): KeyObject | null {
  try {
    return typeof pem === "string" ? createPrivateKey(pem) : null;
  } catch {
    // What is wrong with it may show a part of it.
    return null;
  }
}
