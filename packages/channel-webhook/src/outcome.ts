import type { DeliveryFailure, DeliveryOutcome } from "@belfry/core";
import type { EgressAnswer, EgressResult } from "@belfry/egress";

const PROVIDER = "webhook";
/** As much of an answer as the engine keeps. */
const RESPONSE_LENGTH = 1_000;

/** What the result of a request means for its delivery. */
export function outcomeOf(result: EgressResult, id: string, nowMs: number): DeliveryOutcome {
  if (!result.ok) {
    return webhookFailure(`${result.code}: ${result.error}`, result.transient);
  }
  const response = responseText(result);
  if (result.status >= 200 && result.status < 300) {
    return { status: "delivered", provider: PROVIDER, response, messageId: id };
  }
  return { ...refusal(result.status), response, ...retryAfter(result, nowMs) };
}

/** A failure of this channel. */
export function webhookFailure(error: string, transient: boolean): DeliveryFailure {
  return { status: "failed", provider: PROVIDER, transient, error };
}

function refusal(status: number): DeliveryFailure {
  if (status === 410) {
    return { ...webhookFailure("the receiver answered 410: the endpoint is gone", false), isEndpointGone: true };
  }
  if (status >= 300 && status < 400) {
    return webhookFailure(`redirect_refused: the receiver answered ${status}, and redirects are not followed`, false);
  }
  return webhookFailure(`the receiver answered ${status}`, true);
}

function responseText({ status, body }: EgressAnswer): string {
  const text = new TextDecoder().decode(body).replace(/[\p{Cc}\s]+/gu, " ");
  return `${status} ${text}`.trim().slice(0, RESPONSE_LENGTH).toWellFormed();
}

/** The wait that the receiver asks for: seconds, or a date. What is neither is ignored. */
function retryAfter({ headers }: EgressAnswer, nowMs: number): { readonly retryAfterMs?: number } {
  const value = headers["retry-after"]?.trim() ?? "";
  if (/^\d{1,10}$/.test(value)) {
    return { retryAfterMs: Number(value) * 1_000 };
  }
  // Only HTTP's own date format: `Date.parse` alone would take "1e9" for a year.
  const date = /^[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? {} : { retryAfterMs: Math.max(0, date - nowMs) };
}
