import type { Handler, HubEvent, ProcessingRecord } from "@belfry/core";
import type { NewProcessingRecord, PlanProcessing } from "@belfry/core/storage";
import { fieldsOf, newRecords, promptDigest } from "@belfry/storage-sql";
import type { Session } from "../database/connection.ts";
import { DIALECT } from "../database/sql.ts";
import { type JsonRow, lists, milliseconds, type StorageTime, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareRecordsOf } from "./records.ts";

/** An event with its planned records. */
interface PlannedEvent {
  readonly event: HubEvent;
  readonly records: readonly NewProcessingRecord[];
}

/**
 * Writes events with their records. It reads the handlers first, then writes everything in one statement, which is its own
 * transaction: at READ COMMITTED, one around both would see and promise the same for two more round trips. Records are
 * made and due at the database's time or, with the service's clock, when their event was received.
 */
export function prepareWriteEvents(tables: TableNames, time: StorageTime) {
  const handlersOf = prepareHandlersOf(tables);
  const recordsOf = prepareRecordsOf(tables);
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
      // A separate statement: the one above cannot see what another transaction committed while it ran.
      const before = known.length === 0 ? [] : await recordsOf(session, known);
      const answers = new Map(known.map((event, index) => [keyOf(event), before[index] ?? []]));
      for (const [place, at] of written) {
        const one = planned[place - 1];
        if (one) {
          answers.set(keyOf(one.event), newRecords(one.event, one.records, new Date(at)));
        }
      }
      return events.map((event) => answers.get(keyOf(event)) ?? []);
    };
}

/**
 * $1 to $8 events, $9 to $13 records with the places of their event and of their prompt, if it is long, $14 to $16 the long
 * prompts. A record keeps its prompt itself if another transaction adds or removes the prompt at this moment.
 */
function writeEventsText({ notifications, events, processingRecords, prompts }: TableNames): string {
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
  prompt AS MATERIALIZED (
    SELECT * FROM unnest($14::text[], $15::text[], $16::text[]) WITH ORDINALITY AS p(tenant, digest, text, place)
  ),
  kept AS MATERIALIZED (
    SELECT p.place, k.pk FROM prompt p JOIN ${prompts} k ON k.tenant = p.tenant AND k.digest = p.digest FOR KEY SHARE OF k
  ),
  added AS (
    INSERT INTO ${prompts} (tenant, digest, text)
    SELECT tenant, digest, text FROM prompt p WHERE NOT EXISTS (SELECT FROM kept WHERE kept.place = p.place) ORDER BY tenant, digest
    ON CONFLICT DO NOTHING
    RETURNING pk, tenant, digest
  ),
  referred AS MATERIALIZED (
    SELECT p.place, p.text, coalesce(kept.pk, added.pk) AS pk FROM prompt p LEFT JOIN kept ON kept.place = p.place
    LEFT JOIN added ON added.tenant = p.tenant AND added.digest = p.digest
  ),
  record AS (
    INSERT INTO ${processingRecords}
      (id, notification_pk, tenant, source, handler_id, prompt, prompt_pk, status, attempt, created_at, due_at, fence)
    SELECT r.id, w.pk, w.tenant, w.source, r.handler_id, CASE WHEN p.pk IS NULL THEN coalesce(p.text, r.prompt) ELSE '' END, p.pk, 'PENDING', 0, w.at, w.at, 0
    FROM unnest($9::bigint[], $10::uuid[], $11::uuid[], $12::text[], $13::bigint[]) WITH ORDINALITY AS r(event, id, handler_id, prompt, referred, place)
    JOIN written w ON w.place = r.event LEFT JOIN referred p ON p.place = r.referred ORDER BY r.place
  )
  SELECT place, ${milliseconds("at")} FROM written`;
}

function eventValues(planned: readonly PlannedEvent[], time: StorageTime): readonly unknown[] {
  const events = planned.map(({ event }) => ({
    ...event,
    metadata: JSON.stringify(event.metadata),
    receivedAt: event.receivedAt.toISOString(),
    at: time(event.receivedAt),
  }));
  return lists(events, "tenant", "id", "content", "metadata", "source", "sender", "receivedAt", "at");
}

function recordValues(planned: readonly PlannedEvent[]): readonly unknown[] {
  const prompts = new Map<string, { readonly tenant: string; readonly digest: string; readonly prompt: string; readonly place: number }>();
  const records = planned.flatMap(({ event: { tenant }, records: of }, index) =>
    of.map(({ id, handlerId, prompt }) => {
      const digest = promptDigest(prompt);
      if (digest === null) {
        return { event: index + 1, id, handlerId, prompt, referred: null };
      }
      const key = keyOf({ tenant, id: digest });
      const { place } = prompts.get(key) ?? { place: prompts.size + 1 };
      prompts.set(key, { tenant, digest, prompt, place });
      return { event: index + 1, id, handlerId, prompt: "", referred: place };
    }),
  );
  return [
    ...lists(records, "event", "id", "handlerId", "prompt", "referred"),
    ...lists([...prompts.values()], "tenant", "digest", "prompt"),
  ];
}

/** Names an event, or a prompt by its digest. A NUL cannot be part of either text. */
function keyOf({ tenant, id }: Pick<HubEvent, "tenant" | "id">): string {
  return `${tenant}\u0000${id}`;
}

/** Reads all handlers of the events' sources, oldest first. */
function prepareHandlersOf({ handlers }: TableNames) {
  const fields = fieldsOf<Handler>(DIALECT.schema.handlers, DIALECT);
  const list = statement<JsonRow<Pick<Handler, "tenant" | "source">>>(
    "handlers_of",
    `SELECT to_json(x) FROM (
      SELECT ${fields.columns("h")} FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS k(tenant, source)) k
      JOIN ${handlers} h ON h.tenant = k.tenant AND h.source = k.source ORDER BY h.created_at, h.pk) x`,
  );
  const keyOfSource = ({ tenant, source }: Pick<Handler, "tenant" | "source">) => JSON.stringify([tenant, source]);
  return async (session: Session, events: readonly HubEvent[]): Promise<(event: HubEvent) => readonly Handler[]> => {
    const rows = await session.rows(list, lists(events, "tenant", "source"));
    const bySource = new Map(
      [...Map.groupBy(rows, ([row]) => keyOfSource(row))].map(([key, of]) => [key, of.map(([row]) => fields.record(row))]),
    );
    return (event) => bySource.get(keyOfSource(event)) ?? [];
  };
}
