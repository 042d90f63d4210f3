import { type HubEvent, type HubPage, type IdentifiedEvent, isUuid, type ProcessingRecord } from "@belfry/core";
import type { HubRange, NewProcessingRecord, PlanProcessing, StepRange, SweepStep } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { type JsonRow, milliseconds, type StorageTime, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareHandlersOf } from "./handlers.ts";
import { pageStatement, toPage } from "./page.ts";
import { prepareRecordsOfAll } from "./records.ts";
import {
  EVENT_COLUMNS,
  type EventRow,
  IDENTIFIED_EVENT_COLUMNS,
  type IdentifiedEventRow,
  joinIdentity,
  toEvent,
  toIdentifiedEvent,
} from "./rows.ts";

/** An event with what was planned for it. */
interface PlannedEvent {
  readonly event: HubEvent;
  readonly records: readonly NewProcessingRecord[];
}

/**
 * Writes events with their records. The handlers are read first; everything is written in one statement, which is a
 * transaction by itself: at READ COMMITTED, one around both would see and promise the same for two round trips more.
 * Records are made and due at the database's time or, by the service's, when their event was received.
 */
export function prepareWriteEvents(tables: TableNames, time: StorageTime) {
  const handlersOf = prepareHandlersOf(tables);
  const recordsOf = prepareRecordsOfAll(tables);
  const write = statement<[place: number, at: number]>("write_events", writeEventsText(tables));
  return (events: readonly HubEvent[], plan: PlanProcessing) =>
    async (session: Session): Promise<readonly (readonly ProcessingRecord[])[]> => {
      if (events.length === 0) {
        return [];
      }
      const distinct = [...new Map(events.map((event) => [keyOf(event), event])).values()];
      const handlersFor = await handlersOf(session, distinct);
      const planned = distinct.map((event): PlannedEvent => ({ event, records: plan(event, handlersFor(event)) }));
      const written = new Map(await session.rows(write, [...eventValues(planned, time), ...recordValues(planned)]));
      const known = distinct.filter((_, index) => !written.has(index + 1));
      // A statement of its own: the one above cannot see what another transaction committed while it ran.
      const before = known.length === 0 ? [] : await recordsOf(session, known);
      const answers = new Map(known.map((event, index) => [keyOf(event), before[index] ?? []]));
      for (const [place, at] of written) {
        const one = planned[place - 1];
        if (one) {
          answers.set(
            keyOf(one.event),
            one.records.map((record) => newRecord(one.event, record, at)),
          );
        }
      }
      return events.map((event) => answers.get(keyOf(event)) ?? []);
    };
}

/** $1 to $8 events, $9 to $12 records with the place of their event. */
function writeEventsText({ notifications, events, processingRecords }: TableNames): string {
  return `WITH clock AS MATERIALIZED (SELECT date_trunc('milliseconds', clock_timestamp()) AS now),
  entry AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::json[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[])
      WITH ORDINALITY AS e(tenant, id, content, metadata, source, sender, received_at, at, place)
  ),
  notification AS (
    INSERT INTO ${notifications} (tenant, id, kind, type, title, message, data, source, sender, created_at)
    SELECT tenant, id, 'event', source, '', content, metadata, source, sender, received_at FROM entry ORDER BY tenant, id
    ON CONFLICT (tenant, id) DO NOTHING
    RETURNING pk, tenant, id
  ),
  written AS MATERIALIZED (
    SELECT e.place, n.pk, e.tenant, e.source, e.sender, e.received_at, coalesce(e.at, clock.now) AS at
    FROM notification n JOIN entry e ON e.tenant = n.tenant AND e.id = n.id CROSS JOIN clock
  ),
  event AS (
    INSERT INTO ${events} (notification_pk, tenant, source, sender, received_at)
    SELECT pk, tenant, source, sender, received_at FROM written ORDER BY pk
  ),
  record AS (
    INSERT INTO ${processingRecords} (id, notification_pk, tenant, source, handler_id, prompt, status, attempt, created_at, due_at, fence)
    SELECT r.id, w.pk, w.tenant, w.source, r.handler_id, r.prompt, 'PENDING', 0, w.at, w.at, 0
    FROM unnest($9::bigint[], $10::uuid[], $11::uuid[], $12::text[]) WITH ORDINALITY AS r(event, id, handler_id, prompt, place)
    JOIN written w ON w.place = r.event ORDER BY r.place
  )
  SELECT place, ${milliseconds("at")} FROM written`;
}

function eventValues(planned: readonly PlannedEvent[], time: StorageTime): readonly unknown[] {
  const events = planned.map(({ event }) => event);
  const times = events.map(({ receivedAt }) => receivedAt.toISOString());
  return [
    events.map(({ tenant }) => tenant),
    events.map(({ id }) => id),
    events.map(({ content }) => content),
    events.map(({ metadata }) => JSON.stringify(metadata)),
    events.map(({ source }) => source),
    events.map(({ sender }) => sender),
    times,
    planned.map(({ event }) => time(event.receivedAt)),
  ];
}

function recordValues(planned: readonly PlannedEvent[]): readonly unknown[] {
  const records = planned.flatMap(({ records: of }) => of);
  return [
    planned.flatMap(({ records: of }, index) => of.map(() => index + 1)),
    records.map(({ id }) => id),
    records.map(({ handlerId }) => handlerId),
    records.map(({ prompt }) => prompt),
  ];
}

function newRecord(
  { id: notificationId, tenant }: HubEvent,
  { id, handlerId, prompt }: NewProcessingRecord,
  atMs: number,
): ProcessingRecord {
  const open = { status: "PENDING", result: null, error: null, attempt: 0, inputTokens: null, outputTokens: null } as const;
  return { id, tenant, notificationId, handlerId, prompt, ...open, createdAt: new Date(atMs), completedAt: null };
}

/** Names an event. A NUL cannot be part of either text. */
function keyOf({ tenant, id }: HubEvent): string {
  return `${tenant}\u0000${id}`;
}

/** Finds events by their ids. */
export function prepareFindEvents(tables: TableNames) {
  const { notifications, events } = tables;
  const find = statement<JsonRow<IdentifiedEventRow>>(
    "find_events",
    `SELECT to_json(x) FROM (
      SELECT ${IDENTIFIED_EVENT_COLUMNS} FROM ${notifications} n JOIN ${events} e ON e.notification_pk = n.pk ${joinIdentity(tables)}
      WHERE n.tenant = $1 AND n.id = ANY ($2::uuid[])) x`,
  );
  return (tenant: string, ids: readonly string[]) =>
    async (session: Session): Promise<readonly IdentifiedEvent[]> =>
      (await session.rows(find, [tenant, ids.filter(isUuid)])).map(([row]) => toIdentifiedEvent(row));
}

/** Reads a page of events, newest first. */
export function prepareListEvents(tables: TableNames) {
  const { notifications, events } = tables;
  // The keys of the page first, the rows after: what an offset skips is passed over by its key alone.
  const list = (operation: string, where: string) =>
    pageStatement<IdentifiedEventRow>(operation, {
      counted: `${events} e WHERE e.tenant = $1${where}`,
      rows: `SELECT ${IDENTIFIED_EVENT_COLUMNS} FROM (
          SELECT e.notification_pk AS pk FROM ${events} e WHERE e.tenant = $1${where} ORDER BY e.received_at DESC, e.notification_pk DESC
          LIMIT $2 OFFSET $3) k
        JOIN ${events} e ON e.notification_pk = k.pk JOIN ${notifications} n ON n.pk = k.pk ${joinIdentity(tables)}`,
      order: "r.received_at DESC, r.pk DESC",
    });
  const all = list("list_events", "");
  const bySource = list("list_events_of_source", " AND e.source = $4");
  const bySender = list("list_events_of_sender", " AND e.sender = $4");
  const byBoth = list("list_events_of_both", " AND e.source = $4 AND e.sender = $5");
  return (tenant: string, { source, sender, limit, offset }: HubRange & { readonly source?: string; readonly sender?: string }) =>
    async (session: Session): Promise<HubPage<IdentifiedEvent>> => {
      const ofSource = sender === undefined ? bySource : byBoth;
      const ofAny = sender === undefined ? all : bySender;
      const filters = [source, sender].filter((filter) => filter !== undefined);
      const rows = await session.rows(source === undefined ? ofAny : ofSource, [tenant, limit, offset, ...filters]);
      return toPage(rows, toIdentifiedEvent);
    };
}

/** Reads what came since a time, from one source. */
export function prepareListEventsSince({ notifications, events }: TableNames) {
  const list = statement<JsonRow<EventRow>>(
    "events_since",
    `SELECT to_json(x) FROM (
      SELECT ${EVENT_COLUMNS} FROM (
        SELECT * FROM ${events} WHERE tenant = $1 AND source = $2 AND received_at >= $3::timestamptz
        ORDER BY received_at, notification_pk LIMIT $4) e
      JOIN ${notifications} n ON n.pk = e.notification_pk ORDER BY e.received_at, e.notification_pk) x`,
  );
  return (tenant: string, source: string, { since, limit }: { readonly since: Date; readonly limit: number }) =>
    async (session: Session): Promise<readonly HubEvent[]> =>
      (await session.rows(list, [tenant, source, since.toISOString(), limit])).map(([row]) => toEvent(row));
}

/** Notes who acknowledged an event; the first time stays. */
export function prepareAcknowledgeEvent({ notifications, events, eventAcks }: TableNames) {
  const acknowledge = statement<[pk: number]>(
    "acknowledge_event",
    `WITH event AS (
      SELECT n.pk FROM ${notifications} n JOIN ${events} e ON e.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = $2
    ),
    ack AS (
      INSERT INTO ${eventAcks} (notification_pk, client, acknowledged_at) SELECT pk, $3, $4::timestamptz FROM event ON CONFLICT DO NOTHING
    )
    SELECT pk FROM event`,
  );
  return (tenant: string, id: string, { client, at }: { readonly client: string; readonly at: Date }) =>
    async (session: Session): Promise<boolean> =>
      isUuid(id) && (await session.rows(acknowledge, [tenant, id, client, at.toISOString()])).length > 0;
}

/** Looks at events of all tenants, oldest first, and removes old ones with nothing left to process. */
export function prepareSweepEvents({ events, notifications, processingRecords }: TableNames) {
  // Foreign keys remove the rows that belong to a notification.
  const sweep = statement<readonly [pk: number, isOld: boolean, removed: number]>(
    "sweep_events",
    `WITH looked_at AS MATERIALIZED (
      SELECT notification_pk AS pk, received_at < $3::timestamptz AS is_old FROM ${events}
      WHERE notification_pk > $1 ORDER BY notification_pk LIMIT $2
    ),
    removed AS (
      DELETE FROM ${notifications} n USING looked_at e WHERE n.pk = e.pk AND e.is_old AND NOT EXISTS (
        SELECT FROM ${processingRecords} r WHERE r.notification_pk = e.pk AND r.status IN ('PENDING', 'PROCESSING'))
      RETURNING 1
    )
    SELECT pk, is_old, (SELECT count(*) FROM removed) FROM looked_at ORDER BY pk`,
  );
  return (before: Date, { after, limit }: StepRange) =>
    async (session: Session): Promise<SweepStep> => {
      const rows = await session.rows(sweep, [Number(after ?? 0), limit, before.toISOString()]);
      const last = rows.length < limit ? undefined : rows.at(-1);
      return { removed: rows[0]?.[2] ?? 0, next: last?.[1] ? String(last[0]) : null };
    };
}
