import { type KeyObject, verify } from "node:crypto";

/** The claims of a JSON Web Token, if a key signed it; else null. */
export function claimsOf(token: string, key: KeyObject): Readonly<Record<string, unknown>> | null {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const signed = Buffer.from(`${header}.${payload}`);
  const isOurs = verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
  return isOurs ? (JSON.parse(Buffer.from(payload, "base64url").toString()) as Readonly<Record<string, unknown>>) : null;
}
