import type { ProcessingFailure } from "@belfry/core";
import { APICallError } from "ai";
import { AnswerTooLargeError } from "./bounded-fetch.ts";
import { retryAfterMs } from "./retry-after.ts";

/** The parts needed to describe a failure. */
export interface FailureContext {
  /** Turns the provider's words into one line without secrets. */
  readonly redact: (text: string) => string;
  readonly now: () => number;
}

/** The statuses below 500 that are transient: time-out, conflict, too early, too many requests. */
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 409, 425, 429]);

/** A failure, as the engine takes it. */
export function processingFailure(error: string, transient: boolean): ProcessingFailure {
  return { status: "failed", transient, error };
}

/** Turns a failed request into a failure of its record. The caller tells a time-out from an abort. */
export function failureOf(error: unknown, context: FailureContext): ProcessingFailure {
  const causes = causesOf(error);
  const tooLarge = causes.find((cause) => cause instanceof AnswerTooLargeError);
  if (tooLarge !== undefined) {
    return processingFailure(`the model's provider: ${tooLarge.message}`, false);
  }
  if (!APICallError.isInstance(error)) {
    // The message is left out: it may quote the answer.
    const name = error instanceof Error ? error.name : typeof error;
    return processingFailure(`the model's provider gave no answer that can be read (${name})`, true);
  }
  if (error.statusCode === undefined) {
    // The message is left out: it names hosts and ports of the operator's network.
    const code = causes.map((cause) => cause.code).find((each) => typeof each === "string") ?? "network error";
    return processingFailure(`the model's provider cannot be reached (${code})`, true);
  }
  return error.statusCode < 300 ? unreadable(error, context) : refused(error, error.statusCode, context);
}

/** The failure for an error status from the provider. */
function refused(error: APICallError, status: number, { redact, now }: FailureContext): ProcessingFailure {
  if (status < 400) {
    return processingFailure(`the model's provider answered ${status}, and redirects are not followed; correct baseURL`, false);
  }
  if (status === 401 || status === 403) {
    // The provider's words are left out: they often repeat a part of the key.
    return processingFailure(`the model's provider answered ${status}: it does not accept the key, or not for this model`, false);
  }
  const words = redact(error.message);
  const text = `the model's provider answered ${status}${words === "" ? "" : `: ${words}`}`;
  const isTransient = status >= 500 || TRANSIENT_STATUSES.has(status);
  const waitMs = isTransient ? retryAfterMs(error.responseHeaders ?? {}, now()) : undefined;
  return { ...processingFailure(text, isTransient), ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
}

/** The failure for a success status without a chat completion. Some providers send errors that way. */
function unreadable(error: APICallError, { redact }: FailureContext): ProcessingFailure {
  const words = redact(errorMessageIn(error.responseBody ?? ""));
  const what = words === "" ? "what is no chat completion" : `with an error: ${words}`;
  return processingFailure(`the model's provider answered ${error.statusCode} ${what}`, true);
}

function errorMessageIn(body: string): string {
  try {
    const parsed = JSON.parse(body) as { readonly error?: { readonly message?: unknown } } | null;
    const message = parsed?.error?.message;
    return typeof message === "string" ? message : "";
  } catch {
    // The answer is not JSON, so it has no message.
    return "";
  }
}

type Cause = Error & { readonly code?: unknown };

/** An error and its causes, the outermost first. */
function causesOf(error: unknown): readonly Cause[] {
  const causes: Cause[] = [];
  for (let cause = error; cause instanceof Error && causes.length < 10; cause = cause.cause) {
    causes.push(cause);
  }
  return causes;
}
