import { type BelfryError, HTTP_STATUS } from "../../foundation/errors.ts";
import type { Failure } from "../../http/contract.ts";
import { errorDocs, type Reply } from "../../http/route.ts";
import { retryAfter } from "../fastapi-failure.ts";
import { isOfDocument, typeOf } from "./channel-types.ts";
import { errorSchema } from "./schemas.ts";

/** Returns the documentation of error answers. */
export const errors = errorDocs({
  404: { description: "There is no such notification", schema: errorSchema },
  409: { description: "The notification is not in a state for this, or no provider is configured", schema: errorSchema },
  422: { description: "A field or a parameter is not valid", schema: errorSchema },
});

/** The contract's field names that differ from Belfry's. */
const FIELDS: Readonly<Record<string, string>> = {
  to: "recipients",
  title: "subject",
  message: "content",
  roomId: "room_id",
  scheduledAt: "scheduled_at",
  fallback: "meta.fallback_delay",
  idempotencyKey: "Idempotency-Key",
};

/** Renders a failure in the contract's error shape. */
export function deliveryFailure({ error, credentialPresented = false }: Failure): Reply {
  const { code, message } = error;
  const json = { error: { code, message, ...wordsFor(error, credentialPresented) }, status: "error" };
  return { status: HTTP_STATUS[code], headers: retryAfter(error), json };
}

/** Returns the contract's words for an error where they differ from Belfry's. */
function wordsFor(
  error: BelfryError,
  isPresented: boolean,
): { readonly code?: string; readonly message?: string; readonly details?: object } {
  switch (error.code) {
    case "NOT_FOUND":
      return error.details.notification === undefined ? {} : { message: `There is no sent notification ${error.details.notification}.` };
    case "UNAUTHENTICATED":
      return { message: isPresented ? "The API key is not valid" : "An API key is required" };
    case "INVALID_RECIPIENTS":
      return recipientWords(error);
    case "CONTENT_TOO_LONG":
      return { message: "Notification content exceeds maximum length", details: error.details };
    case "VALIDATION_ERROR": {
      const fields = fieldsOf(error);
      const message = fields.map((one) => `${one.field}: ${one.message}`).join("; ");
      return fields.length > 0 ? { message, details: { fields } } : {};
    }
    case "IDEMPOTENCY_KEY_REUSED":
    case "INVALID_IDEMPOTENCY_KEY":
    case "UNKNOWN_TYPE":
      return { code: "VALIDATION_ERROR" };
    case "CHANNEL_NOT_CONFIGURED":
      return error.details.channel === "email"
        ? { code: "EMAIL_PROVIDER_NOT_CONFIGURED", message: "Email provider must be configured to send email notifications" }
        : {};
    case "CONFIGURATION":
    case "RENDERING_FAILED":
    case "STORAGE_FAILED":
    case "WRONG_TRANSACTION":
      // The log has the details of an internal error; clients do not get them.
      return { code: "INTERNAL_ERROR", message: "Internal server error" };
    case "SERVICE_STOPPED":
    case "STORAGE_UNAVAILABLE":
      return { code: "SERVICE_UNAVAILABLE", message: "The service is not available at this moment; try again" };
    default:
      return {};
  }
}

/** The document's words for its own types; of another channel, the message says what it takes. */
function recipientWords({ details: { invalid, valid, channels } }: BelfryError): { readonly message?: string; readonly details: object } {
  const isOther = Array.isArray(channels) && channels.some((channel) => !isOfDocument(typeOf(String(channel))));
  return { ...(!isOther && { message: "One or more recipients are invalid" }), details: { invalid, valid } };
}

function fieldsOf({ issues }: BelfryError): readonly { readonly field: string; readonly message: string }[] {
  return issues.map(({ path, message }) => {
    const [first = "body", ...rest] = path;
    return {
      field: [FIELDS[first] ?? first, ...rest].join("."),
      message: message.replace("give title or message", "give subject or content"),
    };
  });
}
