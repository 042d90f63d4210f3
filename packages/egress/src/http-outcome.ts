import type { EgressAnswer, EgressResult } from "./egress.ts";

/** An attempt keeps this many characters of an answer. */
const RESPONSE_LENGTH = 1_000;
/** The longest wait that is passed on, in seconds; the engine has a limit of its own. */
const MAX_RETRY_AFTER_S = 1_000_000_000;

/** The facts that a channel over HTTP gives about itself and one delivery. */
export interface HttpDelivery {
  /** The provider's name, for example `webhook`. */
  readonly provider: string;
  /** The meaning of a 2xx answer: `sent` if the provider took it, `delivered` if the recipient has it. */
  readonly acceptedIs: "sent" | "delivered";
  /** The id under which the receiver knows the delivery. */
  readonly messageId: string;
  /** The present time, in milliseconds since 1970. */
  readonly nowMs: number;
  /** Reads what the provider's own words add to the status; null leaves it to the status. @default the status alone counts */
  readonly judge?: (answer: ReadAnswer) => Verdict | null;
  /** Texts that are struck out of the answer that is kept, in case the provider repeats them: tokens, for example. @default none */
  readonly secrets?: readonly string[];
}

/** An answer, for a channel that knows its provider's words. */
export interface ReadAnswer {
  readonly status: number;
  /** The headers, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The whole body as text; empty if it was longer than was read. */
  readonly text: string;
  /** The body as JSON; undefined if it is none. */
  readonly json: unknown;
}

/** What an answer means by its provider's own words. */
export type Verdict =
  | { readonly accepted: true }
  | {
      readonly accepted: false;
      /** Whether a later attempt may succeed. */
      readonly transient: boolean;
      /** Says what happened, without credentials or contents. */
      readonly error: string;
      /** How long the provider asks to wait, in milliseconds. @default what `Retry-After` says */
      readonly retryAfterMs?: number;
      /** Whether nothing will ever reach this recipient again. @default false */
      readonly isEndpointGone?: boolean;
    };

/** The outcome of one request, as a channel's `deliver` returns it. */
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
 * Turns the result of a request into the outcome of its delivery, in the same way for every channel over HTTP. 2xx is a
 * success. A redirect and 410 fail for good, and after 410 the endpoint is gone. Every other answer is a transient
 * failure, with the wait of `Retry-After` if the receiver gives one. A channel whose provider says more than its status
 * reads that in `judge`.
 *
 * @example
 * ```ts
 * const result = await egress.send(task.address, { method: "POST", body, timeoutMs, signal });
 * return httpOutcome(result, { provider: "webhook", acceptedIs: "delivered", messageId: task.id, nowMs: Date.now() });
 * ```
 */
export function httpOutcome(
  result: EgressResult,
  { provider, acceptedIs, messageId, nowMs, judge, secrets = [] }: HttpDelivery,
): HttpOutcome {
  if (!result.ok) {
    return { status: "failed", provider, transient: result.transient, error: `${result.code}: ${result.error}` };
  }
  const verdict = judge?.(readAnswer(result)) ?? verdictOf(result.status);
  const response = responseText(result, secrets);
  if (verdict.accepted) {
    return { status: acceptedIs, provider, response, messageId };
  }
  const { accepted: _, ...failure } = verdict;
  return { status: "failed", provider, response, ...retryAfter(result, nowMs), ...failure };
}

function readAnswer({ status, headers, body, isCut }: EgressAnswer): ReadAnswer {
  const text = isCut ? "" : new TextDecoder().decode(body);
  return { status, headers, text, json: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the status alone means. */
function verdictOf(status: number): Verdict {
  if (status >= 200 && status < 300) {
    return { accepted: true };
  }
  if (status === 410) {
    return { accepted: false, transient: false, error: "the receiver answered 410: the endpoint is gone", isEndpointGone: true };
  }
  if (status >= 300 && status < 400) {
    return {
      accepted: false,
      transient: false,
      error: `redirect_refused: the receiver answered ${status}, and redirects are not followed`,
    };
  }
  return { accepted: false, transient: true, error: `the receiver answered ${status}` };
}

function responseText({ status, body }: EgressAnswer, secrets: readonly string[]): string {
  const read = new TextDecoder().decode(body).replace(/[\p{Cc}\s]+/gu, " ");
  const text = secrets.reduce((struck, secret) => (secret === "" ? struck : struck.replaceAll(secret, "•••")), read);
  return `${status} ${text}`.trim().slice(0, RESPONSE_LENGTH).toWellFormed();
}

/** The wait that the receiver asks for, as seconds or as a date. Other values are ignored. */
function retryAfter({ headers }: EgressAnswer, nowMs: number): { readonly retryAfterMs?: number } {
  const value = headers["retry-after"]?.trim() ?? "";
  if (/^\d+$/.test(value)) {
    return { retryAfterMs: Math.min(Number(value), MAX_RETRY_AFTER_S) * 1_000 };
  }
  // Only HTTP's own date format: `Date.parse` alone would take "1e9" for a year.
  const date = /^[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? {} : { retryAfterMs: Math.max(0, date - nowMs) };
}
