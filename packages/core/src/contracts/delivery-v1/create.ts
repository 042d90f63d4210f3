import { z } from "zod";
import type { SendInput } from "../../delivery/index.ts";
import { BelfryError } from "../../foundation/errors.ts";
import type { JsonObject } from "../../foundation/json.ts";
import type { HttpRequest } from "../../http/messages.ts";
import { defineRoute, type RouteContext } from "../../http/route.ts";
import { BASE, errors } from "./failure.ts";
import { channelOf, renderSend } from "./render.ts";
import { createBody, notificationSchema, success } from "./schemas.ts";

const MAX_KEY_LENGTH = 255;

/** Returns the caller's name for the audit log. */
export function actorOf({ tenant, principal }: Pick<RouteContext<unknown, unknown, unknown>, "tenant" | "principal">): string {
  const key = principal.kind === "client" ? principal.keyId : undefined;
  return key === undefined ? `client:${tenant.tenantId}`.slice(0, 255) : `key:${key}`;
}

/** The route that creates a notification. */
export const createRoute = defineRoute({
  method: "POST",
  path: BASE,
  operationId: "sendNotification",
  summary: "Send a notification through a channel",
  body: createBody,
  headers: z.object({
    "Idempotency-Key": z
      .string()
      .min(1)
      .max(MAX_KEY_LENGTH)
      .optional()
      .meta({ description: "Makes a repetition of this request answer as the first one did" }),
  }),
  isRateLimited: true,
  responses: {
    201: { description: "It is stored and goes out", schema: z.object({ data: notificationSchema, status: success }) },
    ...errors(409, 422),
  },
  async handle(context) {
    const { tenant, body, request } = context;
    const input = { ...inputOf(body), ...keyOf(request), actor: actorOf(context) };
    // Only a websocket notification can fall back to e-mail. The others keep the flag, for their answers.
    const asksFallback = body.type !== "websocket" && body.email_fallback === true;
    const send = await tenant.sendFromContract(input, asksFallback);
    return { status: 201, json: { data: renderSend(send, []), status: "success" } };
  },
});

function inputOf(body: z.infer<typeof createBody>): SendInput {
  const { type, room_id, recipients, subject, content, email_fallback, scheduled_at } = body;
  const meta = (body.meta ?? {}) as JsonObject;
  const { notification_type } = meta;
  const fallback = type === "websocket" && email_fallback === true ? { channel: "email", afterMs: delayMs(meta.fallback_delay) } : false;
  return {
    channel: channelOf(type),
    to: recipients,
    content,
    meta,
    fallback,
    ...(typeof notification_type === "string" && notification_type !== "" ? { type: notification_type } : {}),
    ...(subject == null ? {} : { subject }),
    ...(room_id == null ? {} : { roomId: room_id }),
    ...(scheduled_at == null ? {} : { scheduledAt: scheduled_at }),
  };
}

/** Converts `meta.fallback_delay` from seconds to milliseconds. The check of the send refuses a value that is not a number. */
function delayMs(seconds: unknown): number {
  if (seconds === undefined || seconds === null) {
    return 0;
  }
  return typeof seconds === "number" ? seconds * 1_000 : Number.NaN;
}

function keyOf({ headers }: HttpRequest): { readonly idempotencyKey?: string } {
  const key = headers["idempotency-key"];
  if (key === undefined) {
    return {};
  }
  if (key === "" || key.length > MAX_KEY_LENGTH) {
    throw new BelfryError(
      "INVALID_IDEMPOTENCY_KEY",
      `The header Idempotency-Key must have 1 to ${MAX_KEY_LENGTH} characters, has ${key.length}.`,
    );
  }
  return { idempotencyKey: key };
}
