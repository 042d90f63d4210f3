import type { Handler, HubEvent, ProcessingRecord } from "@belfry/core";
import { type NewProcessingRecord, NOTIFICATION_DEFAULTS, type PlanProcessing } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { prepareWriteNotification } from "../inbox/write-notification.ts";
import { prepareHandlersOf } from "./handlers.ts";
import { prepareRecordsOf } from "./read-records.ts";

/** Writes events with their records, inside a transaction that the caller opened. */
export function prepareWriteEvents(context: QueryContext) {
  const writeNotification = prepareWriteNotification(context);
  const handlersOf = prepareHandlersOf(context);
  const recordsOf = prepareRecordsOf(context);
  const insertRecord = prepareInsertRecord(context);
  const insertEvent = context.prepare<Pick<HubEvent, "tenant" | "source" | "sender"> & { readonly pk: number; readonly at: number }>(sql`
    insert into belfry_events (notification_pk, tenant, source, sender, received_at)
    values (${sql.placeholder("pk")}, ${sql.placeholder("tenant")}, ${sql.placeholder("source")}, ${sql.placeholder("sender")},
      ${sql.placeholder("at")})`);
  return (events: readonly HubEvent[], plan: PlanProcessing): readonly (readonly ProcessingRecord[])[] => {
    const handlers = new Map<string, readonly Handler[]>();
    const handlersFor = ({ tenant, source }: HubEvent): readonly Handler[] => {
      const key = JSON.stringify([tenant, source]);
      const known = handlers.get(key) ?? handlersOf(tenant, source);
      handlers.set(key, known);
      return known;
    };
    return events.map((event) => {
      const { tenant, source, sender, receivedAt } = event;
      const { pk, isNew } = writeNotification(notificationOf(event));
      if (!isNew) {
        return recordsOf(tenant, event.id);
      }
      insertEvent.run({ pk, tenant, source, sender, at: receivedAt.getTime() });
      return plan(event, handlersFor(event)).map((record) => insertRecord(pk, event, record));
    });
  };
}

function notificationOf({ id, tenant, source, sender, content, metadata, receivedAt }: HubEvent) {
  const base = { ...NOTIFICATION_DEFAULTS, id, tenant, kind: "event" as const, type: source };
  return { ...base, message: content, data: metadata, source, sender, createdAt: receivedAt };
}

function prepareInsertRecord({ prepare }: QueryContext) {
  interface Values extends NewProcessingRecord, Pick<HubEvent, "tenant" | "source"> {
    readonly notificationPk: number;
    readonly at: number;
  }
  const insert = prepare<Values>(sql`
    insert into belfry_processing_records (id, notification_pk, tenant, source, handler_id, prompt, status, attempt, created_at, due_at, fence)
    values (${sql.placeholder("id")}, ${sql.placeholder("notificationPk")}, ${sql.placeholder("tenant")}, ${sql.placeholder("source")},
      ${sql.placeholder("handlerId")}, ${sql.placeholder("prompt")}, 'PENDING', 0, ${sql.placeholder("at")}, ${sql.placeholder("at")}, 0)`);
  return (notificationPk: number, { id: notificationId, tenant, source, receivedAt }: HubEvent, record: NewProcessingRecord) => {
    const { id, handlerId, prompt } = record;
    insert.run({ id, handlerId, prompt, notificationPk, tenant, source, at: receivedAt.getTime() });
    const open = { status: "PENDING", result: null, error: null, attempt: 0, inputTokens: null, outputTokens: null } as const;
    return { id, tenant, notificationId, handlerId, prompt, ...open, createdAt: new Date(receivedAt), completedAt: null };
  };
}
