import { z } from "zod";
import { isCalendarDay } from "../../foundation/parse-text.ts";
import { choice, integer, jsonObject, list, text, timestamp, uuid } from "../../http/parameters.ts";
import { TYPES } from "./channel-types.ts";

/** The most characters of a channel's name. */
const MAX_TYPE = 255;
/** The statuses of a notification. */
export const STATUSES = ["pending", "sent", "delivered", "failed", "partial", "cancelled"] as const;

/** The most recipients of one call. The library itself accepts more. */
const MAX_RECIPIENTS = 1_000;

/** One of the document's types, or the name of another channel of the service: see `requireType`. */
function type(description: string) {
  const name = { type: "string" as const, minLength: 1, maxLength: MAX_TYPE };
  const anyOf = [{ type: "string" as const, enum: [...TYPES] }, name];
  return text({ minLength: 1, maxLength: MAX_TYPE, description }).meta({ description, override: { anyOf } });
}

const meta = jsonObject("The sender's own; some members mean something to a channel");
const roomId = uuid("The room it belongs to");

/** The fields before `recipients`, in whose order issues are told. */
const BEFORE_RECIPIENTS: readonly unknown[] = ["type", "room_id"];

/** Requires recipients, unless the notification is for those who are in a room. What else is wrong does not hide that they are missing. */
const someRecipients = z.check<Record<string, unknown>>(({ value, issues }) => {
  const isForRoom = value.type === "websocket" && (value.room_id ?? null) !== null;
  if ((value.recipients ?? null) === null && !isForRoom) {
    const place = issues.filter(({ path }) => BEFORE_RECIPIENTS.includes(path?.[0])).length;
    issues.splice(place, 0, { code: "invalid_type", expected: "array", input: value.recipients, path: ["recipients"] });
  }
});
someRecipients._zod.def.when = ({ value }) => typeof value === "object" && value !== null && !Array.isArray(value);

/** The body that creates a notification. A null field counts as left out. */
export const createBody = z
  .object({
    type: type("How it is delivered: one of these, or the name of another channel of the service"),
    room_id: roomId.nullish(),
    recipients: list(z.string(), {
      max: MAX_RECIPIENTS,
      items: "string",
      description: "User ids, addresses or URLs, after the type; may be left out of a websocket notification for a room",
    }).nullish(),
    subject: z.string().nullish(),
    content: z.string({ error: "Input should be a valid string" }),
    email_fallback: z.boolean().nullish().meta({ description: "Whether an e-mail stands in for a user who is not reached" }),
    meta: meta.nullish(),
    scheduled_at: z
      .string()
      .meta({ description: "When to send it, ISO 8601 with a time zone", override: { type: "string", format: "date-time" } })
      .nullish(),
  })
  .check(someRecipients)
  .meta({ id: "CreateNotification" });

/** The body that changes a pending notification. */
export const updateBody = z
  .object({ subject: z.string().nullish(), content: z.string().nullish(), meta: meta.nullish() })
  .meta({ id: "UpdateNotification" });

/** A time in a query: ISO 8601, or a day, which means its midnight. One without a zone is in UTC. A `date` is cut to its UTC day. */
function time(kind: "datetime" | "date", description: string) {
  return z
    .string()
    .transform((value, context) => {
      const parsed = parseTime(value);
      if (parsed === null) {
        context.addIssue({ code: "custom", message: `Input should be a valid ${kind}`, params: { type: `${kind}_parsing` } });
        return z.NEVER;
      }
      return kind === "date" ? new Date(Math.floor(parsed.getTime() / DAY_MS) * DAY_MS) : parsed;
    })
    .meta({ description, override: { type: "string", format: kind === "date" ? "date" : "date-time" } });
}

export const DAY_MS = 24 * 60 * 60 * 1_000;
const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/i;

function parseTime(value: string): Date | null {
  const [, date, time = "00:00", zone = "Z"] = TIME.exec(value.trim()) ?? [];
  const parsed = date === undefined ? new Date(Number.NaN) : new Date(`${date}T${time}${zone.toUpperCase()}`);
  return date === undefined || !isCalendarDay(date) || Number.isNaN(parsed.getTime()) ? null : parsed;
}

/** The query of the list of notifications. */
export const listQuery = z.object({
  skip: integer({ min: 0, description: "How many notifications to skip" }).default(0),
  limit: integer({ min: 1, max: 100, description: "How many notifications at the most" }).default(50),
  type: type("Only notifications of this type").optional(),
  room_id: roomId.optional(),
  status: choice(STATUSES, "Only notifications of this status").optional(),
  created_after: time("datetime", "Only notifications created after this time").optional(),
  created_before: time("datetime", "Only notifications created before this time").optional(),
  recipient: text({ minLength: 1, maxLength: 4_096, description: "Only notifications to this recipient" }).optional(),
  sort: choice(["created_at", "-created_at", "status"], "The order").default("-created_at"),
});

/** The query of the list of deliveries. */
export const deliveriesQuery = z.object({
  skip: integer({ min: 0, description: "How many deliveries to skip" }).default(0),
  limit: integer({ min: 1, max: 1_000, description: "How many deliveries at the most" }).default(100),
});

/** The place of a page in its list. */
export const pagination = z.object({ skip: z.int(), limit: z.int(), total: z.int(), has_more: z.boolean() });

/** The query of the analytics. */
export const analyticsQuery = z.object({
  date_from: time("date", "The first day, UTC").optional(),
  date_to: time("date", "The last day, UTC").optional(),
  type: type("Only notifications of this type").optional(),
  room_id: roomId.optional(),
});

const attemptSchema = z
  .object({
    timestamp,
    status: choice(["sent", "delivered", "failed", "unknown"], "How the attempt went"),
    recipient: z.string(),
    provider_response: z.string().nullable(),
    message_id: z.string().nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: "Attempt" });

/** A notification in an answer. */
export const notificationSchema = z
  .object({
    id: z.uuid(),
    type: z.string(),
    room_id: z.string().nullable(),
    client_id: z.string(),
    recipients: z.array(z.string()),
    subject: z.string(),
    content: z.string(),
    status: z.enum(STATUSES),
    email_fallback: z.boolean(),
    meta: z.record(z.string(), z.unknown()).meta({
      description:
        "The sender's own, and `delivery_details` once there are attempts: of the first 100 deliveries, in lists of the first 20",
    }),
    delivery_attempts: z.int(),
    delivered_at: timestamp.nullable(),
    failed_at: timestamp.nullable(),
    scheduled_at: timestamp.optional(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Notification" });

/** A delivery in an answer. */
export const deliverySchema = z
  .object({
    id: z.uuid(),
    type: z.string(),
    recipient: z.string(),
    is_fallback: z.boolean(),
    status: z.enum(["waiting", "pending", "sent", "delivered", "failed", "cancelled"]),
    reason: z.string().nullable().meta({ description: "`offline` or `no_ack`, where a user was not reached" }),
    attempts: z.array(attemptSchema.extend({ attempt: z.int(), provider: z.string(), duration_ms: z.int() })),
    next_attempt_at: timestamp.nullable(),
    settled_at: timestamp.nullable(),
  })
  .meta({ id: "Delivery" });

/** The error body of the contract. */
export const errorSchema = z
  .object({
    error: z.object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()).optional() }),
    status: z.literal("error"),
  })
  .meta({ id: "Error" });
