import { z } from "zod";
import { type BelfryError, HTTP_STATUS } from "../foundation/errors.ts";
import type { Failure } from "../http/contract.ts";
import { type Reply, reply } from "../http/route.ts";

/** FastAPI's error body with a text. */
export const fastapiError = z.object({ detail: z.string() }).meta({ id: "Error" });
/** FastAPI's error body with a list of the request's issues. */
export const fastapiValidationError = z
  .object({
    detail: z.array(
      z.object({
        loc: z.array(z.union([z.string(), z.int()])).meta({ description: "The part of the request, then where in it" }),
        msg: z.string(),
        type: z.string(),
      }),
    ),
  })
  .meta({ id: "ValidationError" });

/**
 * Renders a failure in FastAPI's error shape.
 *
 * @param challenge the 401's WWW-Authenticate header; null for none
 * @param fields the contract's names of fields by Belfry's, where they differ
 *
 * @example
 * ```ts
 * defineContract({ ...contract, renderFailure: (failure) => fastapiFailure(failure, "Bearer") });
 * ```
 */
export function fastapiFailure(failure: Failure, challenge: string | null, fields: Readonly<Record<string, string>> = {}): Reply {
  const { error, request, credentialPresented = false } = failure;
  if (error.code === "VALIDATION_ERROR") {
    // An operation does not know the part that its input came in. A GET has no body.
    const part = failure.part ?? (request.method === "GET" || request.method === "HEAD" ? "query" : "body");
    const detail = error.issues.map(({ path: [first, ...rest], message: msg, type }) => {
      return { loc: first === undefined ? [part] : [part, fields[first] ?? first, ...rest], msg, type };
    });
    return reply({ detail }, 422);
  }
  const headers = {
    ...(error.code === "UNAUTHENTICATED" && challenge !== null ? { "www-authenticate": challenge } : {}),
    ...retryAfter(error),
  };
  return { status: HTTP_STATUS[error.code], headers, json: { detail: detailText(error, credentialPresented) } };
}

/**
 * Returns the `Retry-After` header if the error says when to try again.
 *
 * @example
 * ```ts
 * return { status: 503, headers: retryAfter(error), json: { detail: error.message } };
 * ```
 */
export function retryAfter(error: BelfryError): Readonly<Record<string, string>> {
  const afterMs = error.code === "RATE_LIMITED" ? Number(error.details.retry_after_ms) : 1_000;
  return error.code === "RATE_LIMITED" || error.retryable ? { "retry-after": String(Math.max(1, Math.ceil(afterMs / 1_000))) } : {};
}

function detailText(error: BelfryError, presented: boolean): string {
  switch (HTTP_STATUS[error.code]) {
    case 401:
      return presented ? "Could not validate credentials" : "Not authenticated";
    case 405:
      return "Method Not Allowed";
    case 500:
      // The log has the details of an internal error; clients do not get them.
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return error.message;
  }
}
