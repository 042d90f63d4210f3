import type { Handler, HubEvent, ProcessingRecord } from "@belfry/core";
import { type NewProcessingRecord, NOTIFICATION_DEFAULTS, type PlanProcessing } from "@belfry/core/storage";
import { fieldsOf, hubRows, newRecords, promptDigest, type RecordRow, toRecord } from "@belfry/storage-sql";
import { DIALECT, TABLES } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";
import { prepareWriteNotification } from "../inbox/write-items.ts";

/** Writes events with their records, inside a transaction that the caller opened. */
export function prepareWriteEvents(context: QueryContext) {
  const writeNotification = prepareWriteNotification(context);
  const handlersOf = prepareHandlersOf(context);
  const recordsOf = prepareRecordsOf(context);
  const insertRecord = prepareInsertRecord(context);
  const insertEvent = context.prepare<Omit<HubEvent, "id" | "content" | "metadata"> & { readonly pk: number }>(
    "INSERT INTO belfry_events (notification_pk, tenant, source, sender, received_at) VALUES (:pk, :tenant, :source, :sender, :receivedAt)",
  );
  return (events: readonly HubEvent[], plan: PlanProcessing): readonly (readonly ProcessingRecord[])[] => {
    const handlers = new Map<string, readonly Handler[]>();
    const handlersFor = ({ tenant, source }: HubEvent): readonly Handler[] => {
      const key = JSON.stringify([tenant, source]);
      const known = handlers.get(key) ?? handlersOf({ tenant, source });
      handlers.set(key, known);
      return known;
    };
    return events.map((event) => {
      const { tenant, source, sender, receivedAt } = event;
      const { pk, isNew } = writeNotification(notificationOf(event));
      if (!isNew) {
        return recordsOf(pk);
      }
      insertEvent.run({ pk, tenant, source, sender, receivedAt });
      const records = plan(event, handlersFor(event));
      for (const record of records) {
        insertRecord(pk, event, record);
      }
      return newRecords(event, records, receivedAt);
    });
  };
}

function notificationOf({ id, tenant, source, sender, content, metadata, receivedAt }: HubEvent) {
  const base = { ...NOTIFICATION_DEFAULTS, id, tenant, kind: "event" as const, type: source };
  return { ...base, message: content, data: metadata, source, actor: sender, createdAt: receivedAt };
}

/** Reads all handlers of a source, oldest first. */
function prepareHandlersOf({ prepare }: QueryContext) {
  const fields = fieldsOf<Handler>(DIALECT.schema.handlers, DIALECT);
  const list = prepare<Pick<HubEvent, "tenant" | "source">, object>(
    `SELECT ${fields.columns("h")} FROM belfry_handlers h WHERE tenant = :tenant AND source = :source ORDER BY created_at, pk`,
  );
  return (of: Pick<HubEvent, "tenant" | "source">): readonly Handler[] => list.all(of).map(fields.record);
}

/** Reads the records of one event, in the order of their creation. */
function prepareRecordsOf({ prepare }: QueryContext) {
  const list = prepare<{ readonly pk: number }, RecordRow>(`
    SELECT ${hubRows(DIALECT, TABLES).record} FROM belfry_processing_records r CROSS JOIN belfry_notifications n ON n.pk = r.notification_pk
    WHERE r.notification_pk = (SELECT :pk) ORDER BY r.pk`);
  return (pk: number): readonly ProcessingRecord[] => list.all({ pk }).map(toRecord);
}

function prepareInsertRecord(context: QueryContext) {
  const keepPrompt = prepareKeepPrompt(context);
  const insert = context.prepareBare<readonly unknown[]>(`
    INSERT INTO belfry_processing_records
      (id, notification_pk, tenant, source, handler_id, prompt, prompt_pk, status, attempt, created_at, due_at, fence)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'PENDING', 0, ?, ?, 0)`);
  return (notificationPk: number, { tenant, source, receivedAt }: HubEvent, { id, handlerId, prompt }: NewProcessingRecord): void => {
    const promptPk = keepPrompt(tenant, prompt);
    const at = receivedAt.getTime();
    insert.run(id, notificationPk, tenant, source, handlerId, promptPk === null ? prompt : "", promptPk, at, at);
  };
}

/** Stores a long prompt if it is new, and returns its key; null if the record keeps the prompt itself. */
function prepareKeepPrompt({ prepare }: QueryContext) {
  interface Name {
    readonly tenant: string;
    readonly digest: string;
  }
  const find = prepare<Name, { readonly pk: number }>("SELECT pk FROM belfry_prompts WHERE tenant = :tenant AND digest = :digest");
  const insert = prepare<Name & { readonly prompt: string }, { readonly pk: number }>(
    "INSERT INTO belfry_prompts (tenant, digest, text) VALUES (:tenant, :digest, :prompt) RETURNING pk",
  );
  return (tenant: string, prompt: string): number | null => {
    const digest = promptDigest(prompt);
    const kept = digest === null ? undefined : (find.get({ tenant, digest }) ?? insert.get({ tenant, digest, prompt }));
    return kept?.pk ?? null;
  };
}
