import { isUuid } from "@belfry/core";
import type { HistoryPosition, HubStorage, PageBounds } from "@belfry/core/storage";
import { filteredBy, type Sql } from "../database/sql.ts";
import { handlerStorage } from "./handlers.ts";
import { identityStorage } from "./identities.ts";
import {
  type EventRow,
  hubRows,
  type IdentifiedEventRow,
  type RecordRow,
  toEvent,
  toIdentifiedEvent,
  toRecord,
  toSourceRecord,
} from "./rows.ts";
import { recordSearch } from "./search-records.ts";

const ALL_BYTES = Number.MAX_SAFE_INTEGER;

/** How many bytes a page has up to a row, that row included. */
interface UpTo {
  readonly bytesUpTo: number;
}

/**
 * Selects the keys of the rows, with `pk`, `place` and `bytes`, that begin within the first `bytes` bytes, in the order of
 * their places. Reads only the sizes of the others.
 */
function withinBytes(rows: string, bytes: `$${number}`): string {
  return `SELECT pk, "bytesUpTo" FROM (
      SELECT pk, bytes, sum(bytes) OVER (ORDER BY place, pk ROWS UNBOUNDED PRECEDING) AS "bytesUpTo" FROM (${rows}) k) k
    WHERE "bytesUpTo" - bytes < ${bytes}`;
}

/** Where the next page begins. */
function nextOf<Row extends UpTo & { readonly pk: number }>(
  rows: readonly Row[],
  { limit, bytes }: PageBounds,
  timeMs: (row: Row) => number,
): HistoryPosition | null {
  const last = rows.at(-1);
  const isOver = last === undefined || (rows.length < limit && last.bytesUpTo < bytes);
  return isOver ? null : { since: new Date(timeMs(last)), after: last.pk };
}

/** Events in a SQL database, without writing them. */
function eventStorage(sql: Sql): Pick<HubStorage, "findEvents" | "listEvents" | "listEventsSince" | "acknowledgeEvent"> {
  const { tables, join } = sql;
  const { notifications, events, eventAcks } = tables;
  const columns = hubRows(sql, tables);
  const eventBytes = `${sql.bytes("n.message")} + ${sql.bytes("n.data")}`;
  return {
    async findEvents(tenant, ids, bytes = ALL_BYTES) {
      const keys = `SELECT n.pk, n.pk AS place, ${eventBytes} AS bytes FROM ${notifications} n WHERE n.tenant = $1 AND ${sql.isIn("n.id", "$2", "uuid")}`;
      const text = `SELECT ${columns.identifiedEvent} FROM (${withinBytes(keys, "$3")}) k ${join} ${notifications} n ON n.pk = k.pk
        ${join} ${events} e ON e.notification_pk = k.pk ${columns.joinIdentity} ORDER BY k.pk`;
      const rows = await sql.rows<IdentifiedEventRow>("find_events", text, [tenant, listOf(ids), bytes]);
      return rows.map(toIdentifiedEvent);
    },
    async listEvents(tenant, { source, sender, limit, offset }) {
      const { and, values } = filteredBy([
        // A sender has fewer events than a source.
        [source, (given) => `${sender === undefined ? "e.source" : sql.unindexed("e.source")} = ${given}`],
        [sender, (given) => `e.sender = ${given}`],
      ]);
      const counted = `${events} e WHERE e.tenant = $1${and}`;
      // Finds the page's keys first, then its rows: an offset then reads only the keys of what it skips.
      const keys = `SELECT e.notification_pk AS pk FROM ${counted} ORDER BY e.received_at DESC, e.notification_pk DESC LIMIT $2 OFFSET $3`;
      const rows = `SELECT ${columns.identifiedEvent} FROM (${keys}) k ${join} ${events} e ON e.notification_pk = k.pk
        ${join} ${notifications} n ON n.pk = k.pk ${columns.joinIdentity}
        ORDER BY e.received_at DESC, e.notification_pk DESC`;
      const parts = { counted, rows, order: '"receivedAt" DESC, pk DESC' };
      const { items, total } = await sql.page<IdentifiedEventRow>("list_events", parts, [tenant, limit, offset, ...values]);
      return { items: items.map(toIdentifiedEvent), total };
    },
    async listEventsSince(tenant, source, { since, after = 0, limit, bytes }) {
      const keys = `SELECT e.notification_pk AS pk, e.received_at AS place, ${eventBytes} AS bytes
        FROM ${events} e ${join} ${notifications} n ON n.pk = e.notification_pk
        WHERE e.tenant = $1 AND e.source = $2 AND e.received_at >= $3 AND (e.received_at, e.notification_pk) > ($3, $4)
        ORDER BY e.received_at, e.notification_pk LIMIT $5`;
      const text = `SELECT ${columns.event}, k."bytesUpTo" FROM (${withinBytes(keys, "$6")}) k
        ${join} ${events} e ON e.notification_pk = k.pk ${join} ${notifications} n ON n.pk = k.pk ORDER BY e.received_at, k.pk`;
      const rows = await sql.rows<EventRow & UpTo>("events_since", text, [tenant, source, since, after, limit, bytes]);
      return { items: rows.map(toEvent), next: nextOf(rows, { limit, bytes }, ({ receivedAt }) => receivedAt) };
    },
    async acknowledgeEvent(tenant, id, { client, at }) {
      const find = `SELECT n.pk FROM ${notifications} n ${join} ${events} e ON e.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = $2`;
      const [event] = isUuid(id) ? await sql.rows<{ readonly pk: number }>("find_event", find, [tenant, id.toLowerCase()]) : [];
      if (event !== undefined) {
        // Keeps the first time.
        const add = `INSERT INTO ${eventAcks} (notification_pk, client, acknowledged_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`;
        await sql.inTransaction("acknowledge_event", [add], [event.pk, client, at]);
      }
      return event !== undefined;
    },
  };
}

/** The removal of old events in a SQL database. */
function eventSweep(sql: Sql): Pick<HubStorage, "sweep"> {
  const { notifications, events, eventAcks, processingRecords, prompts } = sql.tables;
  return {
    async sweep(before, { after, limit }) {
      const look = `SELECT e.notification_pk AS pk, ${sql.milliseconds("e.received_at")} AS "receivedAt", EXISTS (
          SELECT 1 FROM ${processingRecords} r WHERE r.notification_pk = e.notification_pk AND r.status IN ('PENDING', 'PROCESSING')) AS "isOpen"
        FROM ${events} e WHERE e.notification_pk > $1 ORDER BY e.notification_pk LIMIT $2`;
      type Looked = Pick<EventRow, "pk" | "receivedAt"> & { readonly isOpen: boolean | 0 | 1 };
      const looked = await sql.rows<Looked>("events_to_sweep", look, [Number(after ?? 0), limit]);
      const over = looked.filter(({ receivedAt, isOpen }) => receivedAt < before.getTime() && !isOpen);
      // Deletes from each table by name, because a host's SQLite connection may not enforce foreign keys.
      const parts = [eventAcks, processingRecords, events].map(
        (table) => `DELETE FROM ${table} WHERE ${sql.isIn("notification_pk", "$1", "bigint")}`,
      );
      parts.push(`DELETE FROM ${notifications} WHERE ${sql.isIn("pk", "$1", "bigint")}`);
      await sql.inStep("sweep_events", parts, [JSON.stringify(over.map(({ pk }) => pk))]);
      const last = looked.length < limit ? undefined : looked.at(-1);
      const next = last !== undefined && last.receivedAt < before.getTime() ? String(last.pk) : null;
      if (next === null) {
        const unused = `DELETE FROM ${prompts} WHERE NOT EXISTS (SELECT 1 FROM ${processingRecords} r WHERE r.prompt_pk = ${prompts}.pk)`;
        await sql.inStep("sweep_prompts", [unused], []);
      }
      return { removed: over.length, next };
    },
  };
}

/** Processing records in a SQL database, without writing and leasing them. */
function recordStorage(sql: Sql): Pick<HubStorage, "recordsOf" | "findRecords" | "listSettledSince"> {
  const { join, tables } = sql;
  const { notifications, processingRecords } = tables;
  const columns = hubRows(sql, tables).record;
  const promptBytes = `coalesce((SELECT ${sql.bytes("p.text")} FROM ${tables.prompts} p WHERE p.pk = r.prompt_pk), ${sql.bytes("r.prompt")})`;
  const recordBytes = `${promptBytes} + coalesce(${sql.bytes("r.result")}, 0) + coalesce(${sql.bytes("r.error")}, 0)`;
  return {
    async recordsOf(tenant, id) {
      const text = `SELECT ${columns} FROM ${notifications} n ${join} ${processingRecords} r ON r.notification_pk = n.pk
        WHERE n.tenant = $1 AND n.id = $2 ORDER BY r.pk`;
      return isUuid(id) ? (await sql.rows<RecordRow>("records_of", text, [tenant, id.toLowerCase()])).map(toRecord) : [];
    },
    async findRecords(tenant, ids, bytes = ALL_BYTES) {
      const keys = `SELECT r.pk, r.pk AS place, ${recordBytes} AS bytes FROM ${processingRecords} r
        WHERE r.tenant = $1 AND ${sql.isIn("r.id", "$2", "uuid")}`;
      const text = `SELECT ${columns} FROM (${withinBytes(keys, "$3")}) k ${join} ${processingRecords} r ON r.pk = k.pk
        ${join} ${notifications} n ON n.pk = r.notification_pk ORDER BY k.pk`;
      return (await sql.rows<RecordRow>("find_records", text, [tenant, listOf(ids), bytes])).map(toRecord);
    },
    async listSettledSince(tenant, source, { since, after = 0, limit, bytes }) {
      const keys = `SELECT r.pk, r.completed_at AS place, ${recordBytes} AS bytes FROM ${processingRecords} r
        WHERE r.tenant = $1 AND r.source = $2 AND r.completed_at >= $3 AND (r.completed_at, r.pk) > ($3, $4)
        ORDER BY r.completed_at, r.pk LIMIT $5`;
      const text = `SELECT ${columns}, k."bytesUpTo" FROM (${withinBytes(keys, "$6")}) k ${join} ${processingRecords} r ON r.pk = k.pk
        ${join} ${notifications} n ON n.pk = r.notification_pk ORDER BY r.completed_at, r.pk`;
      const rows = await sql.rows<RecordRow & UpTo>("settled_since", text, [tenant, source, since, after, limit, bytes]);
      return { items: rows.map(toSourceRecord), next: nextOf(rows, { limit, bytes }, ({ completedAt }) => completedAt ?? 0) };
    },
  };
}

/** The operations of the hub that both storages share: all but writing events, and leasing and ending records. */
export function sharedHub(sql: Sql): Omit<HubStorage, "createEvents" | "leases" | "endRecords"> {
  return {
    ...eventStorage(sql),
    ...eventSweep(sql),
    ...recordStorage(sql),
    ...recordSearch(sql),
    ...identityStorage(sql),
    ...handlerStorage(sql),
  };
}

/** Valid ids as a JSON list; others are left out. */
function listOf(ids: readonly string[]): string {
  return JSON.stringify(ids.filter(isUuid).map((id) => id.toLowerCase()));
}
