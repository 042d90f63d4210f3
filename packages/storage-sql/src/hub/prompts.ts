import { createHash } from "node:crypto";

/** A prompt of more characters than this is stored once, and its records refer to it; shorter ones cost less where they are. */
const MAX_OWN_LENGTH = 256;

/** The name under which a prompt is stored once for all its records: SHA-256 in hexadecimal; null for one that each record keeps. */
export function promptDigest(prompt: string): string | null {
  return prompt.length > MAX_OWN_LENGTH ? createHash("sha256").update(prompt).digest("hex") : null;
}
