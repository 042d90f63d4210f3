import { z } from "zod";
import { VERSION } from "../../foundation/version.ts";
import { integer, text, timestamp } from "../../http/parameters.ts";
import { defineRoute, type Reply } from "../../http/route.ts";
import type { Handler, HubPage, IdentifiedEvent, Identity, ProcessingRecord } from "../../hub/index.ts";
import { isoDate, isoDateOrNull } from "../iso-date.ts";

const MAX_TEXT = 100_000;

/** The parameter for a source. */
export const sourceService = text({ minLength: 1, maxLength: 255, description: "The service" });
/** The parameter for a sender's id. */
export const senderId = text({ minLength: 1, maxLength: 255, description: "Who caused it, by that service's own id" });
/** The parameter for a person's id in a source. */
export const sourceId = text({ minLength: 1, maxLength: 255, description: "Their id in that service" });
/** The parameter for a person's name. */
export const personName = text({ minLength: 1, maxLength: 255, description: "Their name" });
/** The parameter for an event's text. */
export const content = text({ maxLength: MAX_TEXT, description: "What happened" });
/** The parameter for a handler's prompt. */
export const prompt = text({ minLength: 1, maxLength: MAX_TEXT, description: "What the processor is told to do" });

const stored = z.record(z.string(), z.unknown());

/** An event in an answer. */
export const eventSchema = z
  .object({
    id: z.string(),
    source_service: z.string(),
    sender_id: z.string(),
    content: z.string(),
    metadata: stored,
    received_at: timestamp,
    identity: z.object({ id: z.string(), name: z.string() }).nullable().meta({ description: "Who the sender is known to be" }),
  })
  .meta({ id: "Notification" });

/** Renders an event for the contract. */
export function renderEvent(event: IdentifiedEvent): z.infer<typeof eventSchema> {
  const { id, source, sender, metadata, receivedAt, identity } = event;
  return {
    id,
    source_service: source,
    sender_id: sender,
    content: event.content,
    metadata,
    received_at: isoDate(receivedAt),
    identity,
  };
}

/** A processing record in an answer. */
export const recordSchema = z
  .object({
    id: z.string(),
    notification_id: z.string(),
    handler_id: z.string(),
    status: z.enum(["PENDING", "PROCESSING", "COMPLETED", "FAILED"]),
    result: z.string().nullable(),
    error: z.string().nullable(),
    created_at: timestamp,
    completed_at: timestamp.nullable(),
  })
  .meta({ id: "ProcessingRecord" });

/** Renders a processing record for the contract. */
export function renderRecord(record: ProcessingRecord): z.infer<typeof recordSchema> {
  const { id, notificationId, handlerId, status, result, error, createdAt, completedAt } = record;
  return {
    id,
    notification_id: notificationId,
    handler_id: handlerId,
    status,
    result,
    error,
    created_at: isoDate(createdAt),
    completed_at: isoDateOrNull(completedAt),
  };
}

/** A handler in an answer. */
export const handlerSchema = z
  .object({
    id: z.string(),
    source_service: z.string(),
    prompt: z.string(),
    metadata_filter: stored,
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "NotificationHandler" });

/** Renders a handler for the contract. */
export function renderHandler(handler: Handler): z.infer<typeof handlerSchema> {
  const { id, source, filter, createdAt, updatedAt } = handler;
  return {
    id,
    source_service: source,
    prompt: handler.prompt,
    metadata_filter: filter,
    created_at: isoDate(createdAt),
    updated_at: isoDate(updatedAt),
  };
}

/** An identity in an answer. */
export const identitySchema = z
  .object({
    id: z.string(),
    source_service: z.string(),
    source_id: z.string(),
    name: z.string(),
    metadata: stored,
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Identity" });

/** Renders an identity for the contract. */
export function renderIdentity(identity: Identity): z.infer<typeof identitySchema> {
  const { id, source, name, metadata, createdAt, updatedAt } = identity;
  return {
    id,
    source_service: source,
    source_id: identity.sourceId,
    name,
    metadata,
    created_at: isoDate(createdAt),
    updated_at: isoDate(updatedAt),
  };
}

/** The form of lists: bare arrays, or objects with the total. */
export type ListStyle = "arrays" | "wrapped";

/** The query parameters that select a part of a list. */
export const rangeQuery = {
  limit: integer({ min: 1, max: 100, description: "How many at the most" }).default(50),
  offset: integer({ min: 0, description: "How many to leave out" }).default(0),
};

/** Returns the schema of a list. */
export function listSchema<Item extends z.ZodType>(name: string, item: Item, lists: ListStyle) {
  const items = z.array(item);
  return lists === "arrays" ? items : z.object({ [name]: items, total: z.int(), limit: z.int(), offset: z.int() });
}

/** Renders a list in the contract's style. */
export function listReply<Item>(
  name: string,
  { items, total }: HubPage<Item>,
  { lists, limit, offset, render }: { lists: ListStyle; limit: number; offset: number; render(item: Item): unknown },
): Reply {
  const rendered = items.map(render);
  return { status: 200, json: lists === "arrays" ? rendered : { [name]: rendered, total, limit, offset } };
}

/** The route that says that the API is running. It needs no key. */
export const statusRoute = defineRoute({
  method: "GET",
  path: "/status",
  operationId: "getStatus",
  summary: "Check that the API is running",
  isPublic: true,
  responses: { 200: { description: "It is", schema: z.object({ status: z.literal("ok"), version: z.string() }) } },
  async handle() {
    return { status: 200, json: { status: "ok", version: VERSION } };
  },
});
