import type { EgressAnswer, EgressResult } from "./egress.ts";

/** As much of an answer as a delivery's attempt keeps. */
const RESPONSE_LENGTH = 1_000;
/** The longest wait that is passed on, in seconds; whoever waits has a limit of their own. */
const MAX_RETRY_AFTER_S = 1_000_000_000;

/** What a channel that delivers over HTTP says of itself and of one delivery. */
export interface HttpDelivery {
  /** Names what carried it, for example `webhook`. */
  readonly provider: string;
  /** What a 2xx answer means: the provider took it, or the recipient has it. */
  readonly acceptedIs: "sent" | "delivered";
  /** The id under which the receiver knows the delivery. */
  readonly messageId: string;
  /** The present time, in milliseconds since 1970. */
  readonly nowMs: number;
}

/** What one request came to: an outcome as a channel's `deliver` answers it. */
export type HttpOutcome =
  | { readonly status: "sent" | "delivered"; readonly provider: string; readonly response: string; readonly messageId: string }
  | {
      readonly status: "failed";
      readonly provider: string;
      readonly transient: boolean;
      readonly error: string;
      readonly response?: string;
      readonly retryAfterMs?: number;
      readonly isEndpointGone?: boolean;
    };

/**
 * Says what the result of a request means for its delivery, one rule for every channel that delivers over HTTP: 2xx is a
 * success; a redirect and 410 fail for good, and after 410 the endpoint is gone; every other answer may pass, after
 * `Retry-After` where the receiver gives one. An answer that says more than its status is a channel's own to read.
 *
 * @example
 * ```ts
 * const result = await egress.send(task.address, { method: "POST", body, timeoutMs, signal });
 * return httpOutcome(result, { provider: "webhook", acceptedIs: "delivered", messageId: task.id, nowMs: Date.now() });
 * ```
 */
export function httpOutcome(result: EgressResult, { provider, acceptedIs, messageId, nowMs }: HttpDelivery): HttpOutcome {
  if (!result.ok) {
    return { status: "failed", provider, transient: result.transient, error: `${result.code}: ${result.error}` };
  }
  const response = responseText(result);
  if (result.status >= 200 && result.status < 300) {
    return { status: acceptedIs, provider, response, messageId };
  }
  return { status: "failed", provider, ...refusal(result.status), response, ...retryAfter(result, nowMs) };
}

function refusal(status: number): { readonly transient: boolean; readonly error: string; readonly isEndpointGone?: boolean } {
  if (status === 410) {
    return { transient: false, error: "the receiver answered 410: the endpoint is gone", isEndpointGone: true };
  }
  if (status >= 300 && status < 400) {
    return { transient: false, error: `redirect_refused: the receiver answered ${status}, and redirects are not followed` };
  }
  return { transient: true, error: `the receiver answered ${status}` };
}

function responseText({ status, body }: EgressAnswer): string {
  const text = new TextDecoder().decode(body).replace(/[\p{Cc}\s]+/gu, " ");
  return `${status} ${text}`.trim().slice(0, RESPONSE_LENGTH).toWellFormed();
}

/** The wait that the receiver asks for: seconds, or a date. Anything else is ignored. */
function retryAfter({ headers }: EgressAnswer, nowMs: number): { readonly retryAfterMs?: number } {
  const value = headers["retry-after"]?.trim() ?? "";
  if (/^\d+$/.test(value)) {
    return { retryAfterMs: Math.min(Number(value), MAX_RETRY_AFTER_S) * 1_000 };
  }
  // Only HTTP's own date format: `Date.parse` alone would take "1e9" for a year.
  const date = /^[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? {} : { retryAfterMs: Math.max(0, date - nowMs) };
}
