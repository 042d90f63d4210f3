import type { ProcessingRecord, ProcessingStatus, SourceRecord } from "@belfry/core";
import { milliseconds } from "../database/json-rows.ts";

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
