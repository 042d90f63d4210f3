import { z } from "zod";
import { timestamp } from "../../http/parameters.ts";
import type { Handler, IdentifiedEvent, Identity, ProcessingRecord } from "../../hub/index.ts";
import { isoDate, isoDateOrNull } from "../iso-date.ts";

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
  return {
    id: event.id,
    source_service: event.source,
    sender_id: event.sender,
    content: event.content,
    metadata: event.metadata,
    received_at: isoDate(event.receivedAt),
    identity: event.identity,
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
  return {
    id: record.id,
    notification_id: record.notificationId,
    handler_id: record.handlerId,
    status: record.status,
    result: record.result,
    error: record.error,
    created_at: isoDate(record.createdAt),
    completed_at: isoDateOrNull(record.completedAt),
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
  return {
    id: handler.id,
    source_service: handler.source,
    prompt: handler.prompt,
    metadata_filter: handler.filter,
    created_at: isoDate(handler.createdAt),
    updated_at: isoDate(handler.updatedAt),
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
  return {
    id: identity.id,
    source_service: identity.source,
    source_id: identity.sourceId,
    name: identity.name,
    metadata: identity.metadata,
    created_at: isoDate(identity.createdAt),
    updated_at: isoDate(identity.updatedAt),
  };
}
