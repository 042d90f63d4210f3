import type { HubEvent, IdentifiedEvent, ProcessingRecord, SourceRecord } from "@belfry/core";
import type { ClaimedRecord, EndedRecord, NewProcessingRecord } from "@belfry/core/storage";
import { fieldsOf } from "../database/fields.ts";
import { type Dialect, parsed, type RowOf, type StoredRecord, selected, type Tables } from "../database/sql.ts";

/** An event, with its notification's key. */
export type EventRow = RowOf<HubEvent> & { readonly pk: number };

/** An event with its sender's identity. */
export interface IdentifiedEventRow extends EventRow {
  readonly identityId: string | null;
  readonly identityName: string | null;
}

/** A processing record with its event's id. */
export type RecordRow = RowOf<StoredRecord> & { readonly notificationId: string };

/** A claimed record as a row: a list of its columns, which costs less than an object. */
export type ClaimedRecordRow = [
  pk: number,
  notificationPk: number,
  fence: number,
  id: string,
  handlerId: string,
  attempt: number,
  result: string | null,
  error: string | null,
  inputTokens: number | null,
  outputTokens: number | null,
  createdAt: number,
  prompt: string,
];

/** The hub's rows in a dialect: `e` is an event, `n` its notification, `i` its sender's identity, `r` a processing record. */
export function hubRows(dialect: Dialect, { prompts, identities }: Pick<Tables, "prompts" | "identities">) {
  const { column, of } = dialect.sourceKey;
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
    /** The columns of an {@link EventRow}, over `e` and `n`. */
    event: selected(columns),
    /** The columns of an {@link IdentifiedEventRow}, over `e`, `n` and `i`. */
    identifiedEvent: selected({ ...columns, identityId: "i.id", identityName: "i.name" }),
    /** Joins `i`. */
    joinIdentity: `LEFT JOIN ${identities} i ON i.tenant = e.tenant AND i.source = e.source AND i.${column} = ${of("e.sender")}`,
    /** The columns of a {@link ClaimedRecordRow}, over `r`. */
    claimed: `r.pk, r.notification_pk, r.fence, r.id, r.handler_id, r.attempt, r.result, r.error, r.input_tokens, r.output_tokens,
      ${dialect.milliseconds("r.created_at")}, ${prompt}`,
    /** The columns of a {@link RecordRow}, over `r` and `n`. */
    record: `n.id AS "notificationId", ${prompt} AS prompt, ${stored.columns("r")}`,
  };
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

/** The claimed record that a row stands for. */
export function toClaimedRecord(row: Readonly<ClaimedRecordRow>, event: IdentifiedEvent): ClaimedRecord {
  const [, , fence, id, handlerId, attempt, result, error, inputTokens, outputTokens, createdAt, prompt] = row;
  const { tenant, id: notificationId } = event;
  const record: ProcessingRecord = {
    id,
    tenant,
    notificationId,
    handlerId,
    prompt,
    status: "PROCESSING",
    result,
    error,
    attempt,
    inputTokens,
    outputTokens,
    createdAt: new Date(createdAt),
    completedAt: null,
  };
  return { record, fence, event };
}

/** The record that a row stands for, with its event's source. */
export function toSourceRecord(row: RecordRow): SourceRecord {
  return { ...toRecord(row), source: row.source };
}

/** The records of a new event as they are made, at `createdAt`. */
export function newRecords(
  { id: notificationId, tenant }: HubEvent,
  planned: readonly NewProcessingRecord[],
  createdAt: Date,
): readonly ProcessingRecord[] {
  const open = { status: "PENDING", result: null, error: null, attempt: 0, inputTokens: null, outputTokens: null } as const;
  return planned.map(({ id, handlerId, prompt }) => ({
    id,
    tenant,
    notificationId,
    handlerId,
    prompt,
    ...open,
    createdAt,
    completedAt: null,
  }));
}

/** A claimed record as the end of its attempt leaves it. @param completedAt null if it is PENDING again */
export function toEndedRecord({ record, event }: ClaimedRecord, ended: EndedRecord, completedAt: Date | null): SourceRecord {
  const { status, result, inputTokens, outputTokens } = ended;
  const error = status === "PENDING" ? (ended.error ?? record.error) : ended.error;
  return { ...record, source: event.source, status, result, error, inputTokens, outputTokens, completedAt };
}
