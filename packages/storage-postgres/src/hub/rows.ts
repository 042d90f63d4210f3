import type { HubEvent, IdentifiedEvent, JsonObject, ProcessingRecord, ProcessingStatus, SourceRecord } from "@belfry/core";
import { milliseconds } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** An event, times in milliseconds. */
export interface EventRow {
  readonly pk: number;
  readonly id: string;
  readonly tenant: string;
  readonly source: string;
  readonly sender: string;
  readonly message: string;
  readonly data: JsonObject;
  readonly received_at: number;
}

/** An event with who its sender is known to be. */
export interface IdentifiedEventRow extends EventRow {
  readonly identity_id: string | null;
  readonly identity_name: string | null;
}

/** The columns of an {@link EventRow}, over `e` (events) and `n` (notifications). */
export const EVENT_COLUMNS = `n.pk, n.id, e.tenant, e.source, e.sender, n.message, n.data, ${milliseconds("e.received_at")} AS received_at`;

/** The columns of an {@link IdentifiedEventRow}, over `e`, `n` and `i` (identities). */
export const IDENTIFIED_EVENT_COLUMNS = `${EVENT_COLUMNS}, i.id AS identity_id, i.name AS identity_name`;

/** Joins `i`, the identity of the sender of `e`. */
export function joinIdentity({ identities }: TableNames): string {
  return `LEFT JOIN ${identities} i ON i.tenant = e.tenant AND i.source = e.source AND i.source_digest = ${digestOf("e.sender")}`;
}

/** The expression that replaces a long text in an index, as SQL. */
export function digestOf(text: string): string {
  return `encode(sha256(convert_to(${text}, 'UTF8')), 'hex')`;
}

/** The event that a row stands for. */
export function toEvent({ id, tenant, source, sender, message, data, received_at }: EventRow): HubEvent {
  return { id, tenant, source, sender, content: message, metadata: data, receivedAt: new Date(received_at) };
}

/** The event that a row stands for, with its sender's identity. */
export function toIdentifiedEvent(row: IdentifiedEventRow): IdentifiedEvent {
  const { identity_id: id, identity_name: name } = row;
  return { ...toEvent(row), identity: id === null || name === null ? null : { id, name } };
}

/** A processing record with its event's id, times in milliseconds. */
export interface RecordRow {
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

/** The columns of a {@link RecordRow}, over `r` (records) and `n` (notifications). */
export const RECORD_COLUMNS = `r.id, n.id AS notification_id, r.notification_pk, r.tenant, r.source, r.handler_id, r.prompt, r.status, r.result,
  r.error, r.attempt, r.input_tokens, r.output_tokens, ${milliseconds("r.created_at")} AS created_at,
  ${milliseconds("r.completed_at")} AS completed_at, r.fence`;

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
