import { HTTP_STATUS } from "@belfry/core";
import type { Failure, Reply } from "@belfry/core/http";
import type { ApiError } from "../wire.ts";

/** Turns a failure into an answer; the page shows its message to a person. */
export function apiFailure({ error, part }: Failure, challenge: string | undefined): Reply {
  if (error.code === "UNAUTHENTICATED") {
    const json: ApiError = { error: { code: "FORBIDDEN", message: "You are not allowed to see this dashboard.", issues: [] } };
    return challenge === undefined ? { status: 403, json } : { status: 401, headers: { "www-authenticate": challenge }, json };
  }
  const issues = error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  const json: ApiError = { error: { code: error.code, message: error.message, issues, ...(part === undefined ? {} : { part }) } };
  return { status: HTTP_STATUS[error.code], json, ...(error.retryable ? { headers: { "retry-after": "1" } } : {}) };
}
