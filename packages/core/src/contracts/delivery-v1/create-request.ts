import type { z } from "zod";
import { BelfryError } from "../../foundation/errors.ts";
import type { JsonObject } from "../../foundation/json.ts";
import type { HttpRequest } from "../../http/messages.ts";
import { given } from "../../http/route.ts";
import { INBOX_CHANNEL, type UntypedCreateInput, type UntypedTopicInput } from "../../notifications/index.ts";
import { channelOf, isOfDocument } from "./channel-types.ts";
import type { createBody } from "./schemas.ts";

/** The most characters of an idempotency key. */
export const MAX_KEY_LENGTH = 255;

/** What a body says. A repetition is known by it: its members, and their names, stay as they are. */
export function saidBy(body: z.infer<typeof createBody>) {
  const { type, recipients, content } = body;
  const meta = (body.meta ?? {}) as JsonObject;
  const { notification_type } = meta;
  const hasFallback = type === "websocket" && body.email_fallback === true;
  return {
    channel: channelOf(type),
    to: recipients ?? [],
    content,
    meta,
    fallback: hasFallback && { channel: "email", afterMs: delayMs(meta.fallback_delay) },
    ...given({
      type: typeof notification_type === "string" && notification_type !== "" ? notification_type : undefined,
      subject: body.subject,
      roomId: body.room_id,
      scheduledAt: body.scheduled_at,
    }),
  };
}

/** The same as the verb takes it. */
export function inputOf(said: ReturnType<typeof saidBy>): UntypedCreateInput | UntypedTopicInput {
  const { channel, to, subject: title, content: message, meta: data, ...shared } = said;
  const texts = { message, data, ...given({ title }) };
  if (channel === INBOX_CHANNEL && to.length === 0 && shared.roomId !== undefined) {
    // Nobody is named: it is for all who are in the room.
    return { ...shared, ...texts, topic: `room:${shared.roomId}`, channels: [INBOX_CHANNEL] };
  }
  // Over the document's other two, everybody is an address.
  return channel !== INBOX_CHANNEL && isOfDocument(channel)
    ? { ...shared, ...texts, to: to.map((address) => ({ [channel]: address })) }
    : { ...shared, ...texts, to, channels: [channel] };
}

/** Converts `meta.fallback_delay` from seconds to milliseconds. The check of the send refuses a value that is not a number. */
function delayMs(seconds: unknown): number {
  if (seconds === undefined || seconds === null) {
    return 0;
  }
  return typeof seconds === "number" ? seconds * 1_000 : Number.NaN;
}

/** The key that makes a repetition answer as the first request did. @throws BelfryError `INVALID_IDEMPOTENCY_KEY` */
export function keyOf({ headers }: HttpRequest): { readonly idempotencyKey?: string } {
  const key = headers["idempotency-key"];
  if (key === "" || (key?.length ?? 0) > MAX_KEY_LENGTH) {
    throw new BelfryError(
      "INVALID_IDEMPOTENCY_KEY",
      `The header Idempotency-Key must have 1 to ${MAX_KEY_LENGTH} characters, has ${key?.length}.`,
    );
  }
  return given({ idempotencyKey: key });
}
