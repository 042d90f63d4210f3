import { createHash } from "node:crypto";

/** A prompt of more characters than this is stored once and its records refer to it; a shorter one costs less in each record. */
const MAX_OWN_LENGTH = 256;

/** The name of a prompt stored once for all its records: its SHA-256 in hexadecimal; null if each record keeps the prompt. */
export function promptDigest(prompt: string): string | null {
  return prompt.length > MAX_OWN_LENGTH ? createHash("sha256").update(prompt).digest("hex") : null;
}
