import { z } from "zod";
import { type BelfryError, HTTP_STATUS, type Issue } from "../../foundation/errors.ts";
import type { Failure } from "../../http/contract.ts";
import type { Reply } from "../../http/route.ts";
import { retryAfter } from "../fastapi-failure.ts";
import { throttled, unsupportedMediaType } from "./words.ts";

/** Django REST framework's error body with a text. */
export const detailSchema = z.object({ detail: z.string() }).meta({ id: "Error" });
/** Django REST framework's error body with messages by field. `detail` and `errors` say the same for clients that read them. */
const fieldErrorsSchema = z
  .object({ detail: z.string(), errors: z.record(z.string(), z.array(z.string())) })
  .catchall(z.array(z.string()))
  .meta({ id: "FieldErrors" });
/** The documentation of the answer to a body or query that is not valid. */
export const invalidDoc = { description: "The body or a parameter is not valid", schema: z.union([detailSchema, fieldErrorsSchema]) };

/** Renders a failure in Django REST framework's error shape. */
export function djangoFailure({ error, part, request }: Failure): Reply {
  if (error.code === "VALIDATION_ERROR") {
    // A path that cannot be an id is answered as not found.
    return part === "path" ? detail(404, "Not found.") : { status: 400, json: fieldErrors(error) };
  }
  const status = HTTP_STATUS[error.code];
  switch (status) {
    case 401: {
      const text = tokenProblem(request.headers.authorization);
      return { ...detail(401, text), headers: { "www-authenticate": "Token" } };
    }
    case 403:
    case 404:
      // Another user's item is answered as not found.
      return detail(404, error.message === "Invalid page." ? error.message : "Not found.");
    case 405:
      return detail(405, `Method "${request.method}" not allowed.`);
    case 429: {
      const headers = retryAfter(error);
      return { ...detail(429, throttled(headers["retry-after"] ?? "1")), headers };
    }
    case 500:
      return detail(500, "A server error occurred.");
    case 503:
      return { ...detail(503, "Service unavailable, try again."), headers: { "retry-after": "1" } };
    default:
      return detail(status, wordsOf(error));
  }
}

/** Django REST framework's words for what is wrong with a token. It looks at no other scheme. */
function tokenProblem(authorization: string | undefined): string {
  const [scheme = "", ...parts] = (authorization ?? "").trim().split(/\s+/, 3);
  if (scheme.toLowerCase() !== "token") {
    return "Authentication credentials were not provided.";
  }
  if (parts.length !== 1) {
    return `Invalid token header. ${parts.length === 0 ? "No credentials provided." : "Token string should not contain spaces."}`;
  }
  return "Invalid token.";
}

/** Django REST framework's words for a body that cannot be read, where it has some. */
function wordsOf({ code, message, details }: BelfryError): string {
  if (code === "INVALID_JSON") {
    return `JSON parse error - ${message}`;
  }
  return typeof details.media_type === "string" ? unsupportedMediaType(details.media_type) : message;
}

function detail(status: number, text: string): Reply {
  return { status, json: { detail: text } };
}

function missing({ path }: Issue): string {
  return path.length === 0 ? "No data provided" : "This field is required.";
}

/** Returns the messages by field. Messages that belong to no single field are under `non_field_errors`. */
function fieldErrors(error: BelfryError): z.infer<typeof fieldErrorsSchema> {
  const fields = new Map<string, string[]>();
  for (const issue of error.issues) {
    const field = String(issue.path[0] ?? "non_field_errors");
    fields.set(field, [...(fields.get(field) ?? []), issue.type === "missing" ? missing(issue) : issue.message]);
  }
  const errors = Object.fromEntries(fields);
  const [[field = "", [message = ""] = []] = []] = fields;
  return { ...errors, detail: field === "non_field_errors" ? message : `${field}: ${message}`, errors } as z.infer<
    typeof fieldErrorsSchema
  >;
}
