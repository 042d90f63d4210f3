import type { HubEvent, IdentifiedEvent, ProcessingRecord, SourceRecord } from "@belfry/core";
import { fieldsOf } from "../database/fields.ts";
import { type Dialect, parsed, type RowOf, type StoredRecord, selected, type Tables } from "../database/sql.ts";

/** An event, with its notification's key. */
export type EventRow = RowOf<HubEvent> & { readonly pk: number };

/** An event with who its sender is known to be. */
export interface IdentifiedEventRow extends EventRow {
  readonly identityId: string | null;
  readonly identityName: string | null;
}

/** A processing record with its event's id. */
export type RecordRow = RowOf<StoredRecord> & { readonly notificationId: string };

/** The columns of the hub's rows: `e` an event, `n` its notification, `i` its sender's identity, `r` a processing record. */
export interface HubColumns {
  /** The columns of an {@link EventRow}, over `e` and `n`. */
  readonly event: string;
  /** The columns of an {@link IdentifiedEventRow}, over `e`, `n` and `i`. */
  readonly identifiedEvent: string;
  /** The columns of a {@link RecordRow}, over `r` and `n`. */
  readonly record: string;
}

/** The columns of the hub's rows in a dialect. */
export function hubColumns(dialect: Dialect, { prompts }: Pick<Tables, "prompts">): HubColumns {
  const columns: Readonly<Record<keyof EventRow, string>> = {
    pk: "n.pk",
    id: "n.id",
    tenant: "e.tenant",
    source: "e.source",
    sender: "e.sender",
    content: "n.message",
    metadata: "n.data",
    receivedAt: dialect.milliseconds("e.received_at"),
  };
  const stored = fieldsOf<StoredRecord>(dialect.schema.processingRecords, dialect, [
    ...["dueAt", "leaseOwner", "leaseUntil"],
    ...["prompt", "promptPk"],
  ]);
  const prompt = `coalesce((SELECT p.text FROM ${prompts} p WHERE p.pk = r.prompt_pk), r.prompt)`;
  return {
    event: selected(columns),
    identifiedEvent: selected({ ...columns, identityId: "i.id", identityName: "i.name" }),
    record: `n.id AS "notificationId", ${prompt} AS prompt, ${stored.columns("r")}`,
  };
}

/** Joins `i`, the identity of the sender of `e`. */
export function joinIdentity({ sourceKey: { column, of } }: Dialect, { identities }: Pick<Tables, "identities">): string {
  return `LEFT JOIN ${identities} i ON i.tenant = e.tenant AND i.source = e.source AND i.${column} = ${of("e.sender")}`;
}

/** The event that a row stands for. */
export function toEvent({ id, tenant, source, sender, content, metadata, receivedAt }: EventRow): HubEvent {
  return { id, tenant, source, sender, content, metadata: parsed(metadata), receivedAt: new Date(receivedAt) };
}

/** The event that a row stands for, with its sender's identity. */
export function toIdentifiedEvent(row: IdentifiedEventRow): IdentifiedEvent {
  const { identityId: id, identityName: name } = row;
  return { ...toEvent(row), identity: id === null || name === null ? null : { id, name } };
}

/** The record that a row stands for. */
export function toRecord(row: RecordRow): ProcessingRecord {
  const { id, tenant, notificationId, handlerId, prompt, status, result, error, attempt, inputTokens, outputTokens } = row;
  const times = { createdAt: new Date(row.createdAt), completedAt: row.completedAt === null ? null : new Date(row.completedAt) };
  return { id, tenant, notificationId, handlerId, prompt, status, result, error, attempt, inputTokens, outputTokens, ...times };
}

/** The record that a row stands for, with its event's source. */
export function toSourceRecord(row: RecordRow): SourceRecord {
  return { ...toRecord(row), source: row.source };
}
