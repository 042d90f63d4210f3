import type { Handler, HubEvent, HubPage, IdentifiedEvent, ProcessingRecord } from "@belfry/core";
import {
  type HubRange,
  type NewProcessingRecord,
  NOTIFICATION_DEFAULTS,
  type PlanProcessing,
  type StepRange,
  type SweepStep,
} from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";
import { joinValue } from "../inbox/conditions.ts";
import { prepareWriteNotification } from "../inbox/write-items.ts";
import { prepareHandlersOf } from "./handlers.ts";
import { prepareRecordsOf } from "./records.ts";
import {
  EVENT_COLUMNS,
  type EventRow,
  IDENTIFIED_EVENT_COLUMNS,
  type IdentifiedEventRow,
  JOIN_IDENTITY,
  toEvent,
  toIdentifiedEvent,
} from "./rows.ts";

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

/** Finds events by their ids. */
export function prepareFindEvents({ prepare }: QueryContext) {
  const find = prepare<{ readonly tenant: string; readonly ids: string }, IdentifiedEventRow>(sql`
    select ${IDENTIFIED_EVENT_COLUMNS} from (select distinct value as id from json_each(${sql.placeholder("ids")})) named
    cross join belfry_notifications n on n.tenant = ${joinValue("tenant")} and n.id = named.id
    cross join belfry_events e on e.notification_pk = n.pk ${JOIN_IDENTITY}`);
  return (tenant: string, ids: readonly string[]): readonly IdentifiedEvent[] =>
    find.all({ tenant, ids: JSON.stringify(ids.map((id) => id.toLowerCase())) }).map(toIdentifiedEvent);
}

/** The filters of a list of events. */
interface Filters {
  readonly tenant: string;
  readonly source: string | undefined;
  readonly sender: string | undefined;
}

/** Reads a page of events, newest first. */
export function prepareListEvents({ prepare }: QueryContext) {
  const statements = (where: ReturnType<typeof sql>) => ({
    count: prepare<Filters, { readonly total: number }>(sql`select count(*) as total from belfry_events e where ${where}`),
    // The keys of the page first, the rows after: what an offset skips is passed over by its key alone.
    page: prepare<Filters & HubRange, IdentifiedEventRow>(sql`
      select ${IDENTIFIED_EVENT_COLUMNS} from (
        select e.notification_pk as pk from belfry_events e where ${where} order by e.received_at desc, e.notification_pk desc
        limit ${sql.placeholder("limit")} offset ${sql.placeholder("offset")}) k
      cross join belfry_events e on e.notification_pk = k.pk cross join belfry_notifications n on n.pk = k.pk ${JOIN_IDENTITY}
      order by e.received_at desc, e.notification_pk desc`),
  });
  const ofTenant = sql`e.tenant = ${sql.placeholder("tenant")}`;
  const ofSender = sql`${ofTenant} and e.sender = ${sql.placeholder("sender")}`;
  const all = statements(ofTenant);
  const bySource = statements(sql`${ofTenant} and e.source = ${sql.placeholder("source")}`);
  const bySender = statements(ofSender);
  // A sender has fewer events than a source: the plus keeps SQLite from the source's index.
  const byBoth = statements(sql`${ofSender} and +e.source = ${sql.placeholder("source")}`);
  return (
    tenant: string,
    { source, sender, limit, offset }: HubRange & { readonly source?: string; readonly sender?: string },
  ): HubPage<IdentifiedEvent> => {
    const ofSource = sender === undefined ? bySource : byBoth;
    const ofAny = sender === undefined ? all : bySender;
    const { count, page } = source === undefined ? ofAny : ofSource;
    const filters = { tenant, source, sender };
    return { items: page.all({ ...filters, limit, offset }).map(toIdentifiedEvent), total: count.get(filters)?.total ?? 0 };
  };
}

/** Reads what came since a time, from one source. */
export function prepareListEventsSince({ prepare }: QueryContext) {
  const list = prepare<{ readonly tenant: string; readonly source: string; readonly since: number; readonly limit: number }, EventRow>(sql`
    select ${EVENT_COLUMNS} from belfry_events e cross join belfry_notifications n on n.pk = e.notification_pk
    where e.tenant = ${joinValue("tenant")} and e.source = ${joinValue("source")} and e.received_at >= ${joinValue("since")}
    order by e.received_at, e.notification_pk limit ${sql.placeholder("limit")}`);
  return (tenant: string, source: string, { since, limit }: { readonly since: Date; readonly limit: number }): readonly HubEvent[] =>
    list.all({ tenant, source, since: since.getTime(), limit }).map(toEvent);
}

/** Notes who acknowledged an event; the first time stays. */
export function prepareAcknowledgeEvent({ prepare }: QueryContext) {
  const find = prepare<{ readonly tenant: string; readonly id: string }, { readonly pk: number }>(sql`
    select n.pk from belfry_notifications n where n.tenant = ${sql.placeholder("tenant")} and n.id = ${sql.placeholder("id")} and n.kind = 'event'`);
  const insert = prepare<{ readonly pk: number; readonly client: string; readonly at: number }>(sql`
    insert into belfry_event_acks (notification_pk, client, acknowledged_at)
    values (${sql.placeholder("pk")}, ${sql.placeholder("client")}, ${sql.placeholder("at")}) on conflict do nothing`);
  return (tenant: string, id: string, { client, at }: { readonly client: string; readonly at: Date }): boolean => {
    const event = find.get({ tenant, id: id.toLowerCase() });
    if (event === undefined) {
      return false;
    }
    insert.run({ pk: event.pk, client, at: at.getTime() });
    return true;
  };
}

type LookedAt = readonly [pk: number, isOld: number, isOpen: number];

/** Looks at events of all tenants, oldest first, and removes old ones with nothing left to process. */
export function prepareSweepEvents({ prepare, prepareRows }: QueryContext) {
  const lookAt = prepareRows<{ readonly after: number; readonly before: number; readonly limit: number }, LookedAt>(sql`
    select e.notification_pk, e.received_at < ${sql.placeholder("before")}, exists (
      select 1 from belfry_processing_records r where r.notification_pk = e.notification_pk and r.status in ('PENDING', 'PROCESSING'))
    from belfry_events e where e.notification_pk > ${sql.placeholder("after")} order by e.notification_pk limit ${sql.placeholder("limit")}`);
  // A host's connection may not enforce foreign keys, so what hangs on the notification is deleted by name.
  const parts = [
    sql`delete from belfry_event_acks where notification_pk = ${sql.placeholder("pk")}`,
    sql`delete from belfry_processing_records where notification_pk = ${sql.placeholder("pk")}`,
    sql`delete from belfry_events where notification_pk = ${sql.placeholder("pk")}`,
    sql`delete from belfry_notifications where pk = ${sql.placeholder("pk")}`,
  ].map((statement) => prepare<{ readonly pk: number }>(statement));
  return (before: Date, { after, limit }: StepRange): SweepStep => {
    const rows = lookAt.all({ after: Number(after ?? 0), before: before.getTime(), limit });
    const over = rows.filter(([, isOld, isOpen]) => isOld === 1 && isOpen === 0);
    for (const [pk] of over) {
      for (const part of parts) {
        part.run({ pk });
      }
    }
    const last = rows.length < limit ? undefined : rows.at(-1);
    return { removed: over.length, next: last?.[1] === 1 ? String(last[0]) : null };
  };
}
