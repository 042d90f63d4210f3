import { timingSafeEqual } from "node:crypto";
import { requireOptions } from "@belfry/core";
import { signingKeys } from "./secrets.ts";
import { digest } from "./sign.ts";
import type { WebhookSecret } from "./webhook-options.ts";

/** A request that a receiver got. */
export interface ReceivedWebhook {
  /** The receiver's secret, or several during a change of secrets. */
  readonly secret: WebhookSecret;
  /** A fetch `Headers`, or the headers of a Node request. */
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body's bytes as they arrived, or their text; not a body that was parsed and serialised again. */
  readonly body: string | Uint8Array;
  /** How far the request's time may be from now, either way, in milliseconds. @default 300,000 */
  readonly toleranceMs?: number;
  /** Tells the time, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
}

const DEFAULT_TOLERANCE_MS = 300_000;

/**
 * True if a webhook was signed recently with one of the secrets. Receivers call it; they have to recognise a repeated
 * `webhook-id` themselves.
 *
 * @throws `CONFIGURATION` for a secret that cannot be used. Nothing in the request makes it throw.
 * @example
 * ```ts
 * app.post("/in", express.raw({ type: "application/json" }), (req, res) => {
 *   res.sendStatus(verifyWebhook({ secret, headers: req.headers, body: req.body }) ? 204 : 401);
 * });
 * ```
 */
export function verifyWebhook(received: ReceivedWebhook): boolean {
  requireOptions("verifyWebhook", received, { secret: true, headers: true, body: true, toleranceMs: true, now: true });
  const keys = signingKeys(received.secret);
  const id = headerOf(received, "webhook-id");
  const timestamp = headerOf(received, "webhook-timestamp");
  const given = headerOf(received, "webhook-signature");
  if (!id || !given || !/^\d{1,12}$/.test(timestamp) || !isRecent(Number(timestamp) * 1_000, received)) {
    return false;
  }
  const signatures = given
    .split(" ")
    .filter((signature) => signature.startsWith("v1,"))
    .map((signature) => Buffer.from(signature.slice(3), "base64"));
  return keys.some((key) => {
    const expected = digest({ id, timestamp, body: received.body }, key);
    // `timingSafeEqual` throws on unequal lengths.
    return signatures.some((signature) => signature.length === expected.length && timingSafeEqual(signature, expected));
  });
}

function isRecent(signedAtMs: number, { toleranceMs = DEFAULT_TOLERANCE_MS, now = Date.now }: ReceivedWebhook): boolean {
  return Math.abs(now() - signedAtMs) <= toleranceMs;
}

function headerOf({ headers }: ReceivedWebhook, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : headers?.[name];
  return typeof value === "string" ? value : "";
}
