import { type BelfryError, type BelfryErrorCode, HTTP_STATUS } from "../../foundation/errors.ts";
import type { Failure } from "../../http/contract.ts";
import type { Reply, ResponseDoc } from "../../http/route.ts";
import { retryAfter } from "../fastapi-failure.ts";
import { errorSchema } from "./schemas.ts";

/** The base path of the contract. */
export const BASE = "/api/v1/notifications";

const DESCRIPTIONS = {
  404: "There is no such notification",
  409: "The notification is not in a state for this, or no provider is configured",
  422: "A field or a parameter is not valid",
} as const;

/** Returns the documentation of a route's error answers. */
export function errors(...statuses: readonly (keyof typeof DESCRIPTIONS)[]): Readonly<Record<number, ResponseDoc>> {
  return Object.fromEntries(statuses.map((status) => [status, { description: DESCRIPTIONS[status], schema: errorSchema }]));
}

/** The contract's error codes that differ from Belfry's. */
const CODES: Partial<Record<BelfryErrorCode, string>> = {
  CONFIGURATION: "INTERNAL_ERROR",
  IDEMPOTENCY_KEY_REUSED: "VALIDATION_ERROR",
  INVALID_IDEMPOTENCY_KEY: "VALIDATION_ERROR",
  SERVICE_STOPPED: "SERVICE_UNAVAILABLE",
  STORAGE_FAILED: "INTERNAL_ERROR",
  STORAGE_UNAVAILABLE: "SERVICE_UNAVAILABLE",
  UNKNOWN_TYPE: "VALIDATION_ERROR",
  WRONG_TRANSACTION: "INTERNAL_ERROR",
};

/** The contract's field names that differ from Belfry's. */
const FIELDS: Readonly<Record<string, string>> = {
  to: "recipients",
  roomId: "room_id",
  scheduledAt: "scheduled_at",
  fallback: "meta.fallback_delay",
  idempotencyKey: "Idempotency-Key",
};

/** Renders a failure in the contract's error shape. */
export function deliveryFailure({ error, credentialPresented }: Failure): Reply {
  const details = detailsOf(error);
  return {
    status: HTTP_STATUS[error.code],
    headers: retryAfter(error),
    json: {
      error: { code: codeOf(error), message: messageOf(error, credentialPresented ?? false), ...(details ? { details } : {}) },
      status: "error",
    },
  };
}

function codeOf(error: BelfryError): string {
  const isEmail = error.code === "CHANNEL_NOT_CONFIGURED" && error.details.channel === "email";
  return isEmail ? "EMAIL_PROVIDER_NOT_CONFIGURED" : (CODES[error.code] ?? error.code);
}

function messageOf(error: BelfryError, isPresented: boolean): string {
  switch (error.code) {
    case "UNAUTHENTICATED":
      return isPresented ? "The API key is not valid" : "An API key is required";
    case "INVALID_RECIPIENTS":
      return "One or more recipients are invalid";
    case "CONTENT_TOO_LONG":
      return "Notification content exceeds maximum length";
    case "VALIDATION_ERROR":
      return error.issues.length > 0
        ? fieldsOf(error)
            .map(({ field, message }) => `${field}: ${message}`)
            .join("; ")
        : error.message;
    case "CHANNEL_NOT_CONFIGURED":
      return error.details.channel === "email" ? "Email provider must be configured to send email notifications" : error.message;
    case "STORAGE_FAILED":
    case "CONFIGURATION":
    case "WRONG_TRANSACTION":
      // The log has the details of an internal error; clients do not get them.
      return "Internal server error";
    case "STORAGE_UNAVAILABLE":
    case "SERVICE_STOPPED":
      return "The service is not available at this moment; try again";
    default:
      return error.message;
  }
}

function detailsOf(error: BelfryError): object | null {
  if (error.code === "VALIDATION_ERROR" && error.issues.length > 0) {
    return { fields: fieldsOf(error) };
  }
  return error.code === "INVALID_RECIPIENTS" || error.code === "CONTENT_TOO_LONG" ? error.details : null;
}

function fieldsOf({ issues }: BelfryError): readonly { readonly field: string; readonly message: string }[] {
  return issues.map(({ path, message }) => {
    const [first = "body", ...rest] = path;
    return { field: [FIELDS[first] ?? first, ...rest].join("."), message };
  });
}
