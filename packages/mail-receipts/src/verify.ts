import { createHash, timingSafeEqual } from "node:crypto";
import { BelfryError, validationError } from "@belfry/core";

/** How old a signed request may be. The providers repeat theirs for up to a day. */
const MAX_AGE_MS = 25 * 3_600_000;
/** How far a provider's clock may be ahead. */
const MAX_AHEAD_MS = 5 * 60_000;

/** Refuses a request unless it is the provider's. It says nothing of why. @throws BelfryError `UNAUTHENTICATED` */
export function requireGenuine(isGenuine: boolean): void {
  if (!isGenuine) {
    throw new BelfryError("UNAUTHENTICATED", "The request has no valid signature or secret.");
  }
}

/** Whether a request was signed lately. */
export function isRecent(at: Date | undefined, nowMs: number): boolean {
  const ageMs = nowMs - (at?.getTime() ?? 0);
  return ageMs <= MAX_AGE_MS && ageMs >= -MAX_AHEAD_MS;
}

/** Whether two texts are equal, found in a time that does not tell how much of them is. */
export function isSame(left: string, right: string): boolean {
  const [a, b] = [left, right].map((text) => createHash("sha256").update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

/** Reads a body as JSON. @throws BelfryError `VALIDATION_ERROR` */
export function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw validationError([{ path: ["body"], type: "json_invalid", message: "must be JSON in UTF-8" }]);
  }
}
