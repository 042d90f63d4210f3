import type { HubEvent, IdentifiedEvent, JsonObject, ProcessingRecord, ProcessingStatus, SourceRecord } from "@belfry/core";
import { sql } from "drizzle-orm";

/** An event as SQLite gives it. Times in milliseconds. */
export interface EventRow {
  readonly id: string;
  readonly tenant: string;
  readonly source: string;
  readonly sender: string;
  readonly message: string;
  readonly data: string;
  readonly received_at: number;
}

/** An event with who its sender is known to be. */
export interface IdentifiedEventRow extends EventRow {
  readonly identity_id: string | null;
  readonly identity_name: string | null;
}

/** The columns of an {@link EventRow}, over the tables `e` (events) and `n` (notifications). */
export const EVENT_COLUMNS = sql`n.id, e.tenant, e.source, e.sender, n.message, n.data, e.received_at`;

/** The columns of an {@link IdentifiedEventRow}, over `e`, `n` and `i` (identities), and how to join `i`. */
export const IDENTIFIED_EVENT_COLUMNS = sql`${EVENT_COLUMNS}, i.id as identity_id, i.name as identity_name`;
export const JOIN_IDENTITY = sql`left join belfry_identities i on i.tenant = e.tenant and i.source = e.source and i.source_id = e.sender`;

/** The event that a row stands for. */
export function toEvent({ id, tenant, source, sender, message, data, received_at }: EventRow): HubEvent {
  return { id, tenant, source, sender, content: message, metadata: JSON.parse(data) as JsonObject, receivedAt: new Date(received_at) };
}

/** The event that a row stands for, with its sender's identity. */
export function toIdentifiedEvent(row: IdentifiedEventRow): IdentifiedEvent {
  const { identity_id: id, identity_name: name } = row;
  return { ...toEvent(row), identity: id === null || name === null ? null : { id, name } };
}

/** A processing record as SQLite gives it, with its event's id. Times in milliseconds. */
export interface RecordRow {
  readonly pk: number;
  readonly id: string;
  readonly notification_id: string;
  readonly notification_pk: number;
  readonly tenant: string;
  readonly source: string;
  readonly handler_id: string;
  readonly prompt: string;
  readonly status: ProcessingStatus;
  readonly result: string | null;
  readonly error: string | null;
  readonly attempt: number;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly created_at: number;
  readonly completed_at: number | null;
  readonly fence: number;
}

/** The columns of a {@link RecordRow}, over the tables `r` (records) and `n` (notifications). */
export const RECORD_COLUMNS = sql`
  r.pk, r.id, n.id as notification_id, r.notification_pk, r.tenant, r.source, r.handler_id, r.prompt, r.status, r.result, r.error, r.attempt,
  r.input_tokens, r.output_tokens, r.created_at, r.completed_at, r.fence`;

/** The record that a row stands for. */
export function toRecord(row: RecordRow): ProcessingRecord {
  return {
    id: row.id,
    tenant: row.tenant,
    notificationId: row.notification_id,
    handlerId: row.handler_id,
    prompt: row.prompt,
    status: row.status,
    result: row.result,
    error: row.error,
    attempt: row.attempt,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    createdAt: new Date(row.created_at),
    completedAt: row.completed_at === null ? null : new Date(row.completed_at),
  };
}

/** The record that a row stands for, with its event's source. */
export function toSourceRecord(row: RecordRow): SourceRecord {
  return { ...toRecord(row), source: row.source };
}
