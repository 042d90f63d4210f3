import { isUuid } from "@belfry/core";
import type { HubStorage } from "@belfry/core/storage";
import { filteredBy, type Sql } from "../database/sql.ts";
import { handlerStorage } from "./handlers.ts";
import { identityStorage } from "./identities.ts";
import {
  type EventRow,
  hubColumns,
  type IdentifiedEventRow,
  joinIdentity,
  type RecordRow,
  toEvent,
  toIdentifiedEvent,
  toRecord,
  toSourceRecord,
} from "./rows.ts";

/** Events in a SQL database, but for writing them. */
function eventStorage(sql: Sql): Pick<HubStorage, "findEvents" | "listEvents" | "listEventsSince" | "acknowledgeEvent" | "sweep"> {
  const { tables, join } = sql;
  const { notifications, events, eventAcks, processingRecords } = tables;
  const columns = hubColumns(sql);
  const withIdentity = joinIdentity(sql, tables);
  return {
    async findEvents(tenant, ids) {
      const text = `SELECT ${columns.identifiedEvent} FROM ${notifications} n ${join} ${events} e ON e.notification_pk = n.pk
        ${withIdentity} WHERE n.tenant = $1 AND ${sql.isIn("n.id", "$2", "uuid")}`;
      const rows = await sql.rows<IdentifiedEventRow>("find_events", text, [tenant, listOf(ids)]);
      return rows.map(toIdentifiedEvent);
    },
    async listEvents(tenant, { source, sender, limit, offset }) {
      const { and, values } = filteredBy([
        // A sender has fewer events than a source.
        [source, (given) => `${sender === undefined ? "e.source" : sql.unindexed("e.source")} = ${given}`],
        [sender, (given) => `e.sender = ${given}`],
      ]);
      const counted = `${events} e WHERE e.tenant = $1${and}`;
      // The keys of the page first, the rows after: what an offset skips is passed over by its key alone.
      const keys = `SELECT e.notification_pk AS pk FROM ${counted} ORDER BY e.received_at DESC, e.notification_pk DESC LIMIT $2 OFFSET $3`;
      const rows = `SELECT ${columns.identifiedEvent} FROM (${keys}) k ${join} ${events} e ON e.notification_pk = k.pk
        ${join} ${notifications} n ON n.pk = k.pk ${withIdentity}
        ORDER BY e.received_at DESC, e.notification_pk DESC`;
      const parts = { counted, rows, order: '"receivedAt" DESC, pk DESC' };
      const { items, total } = await sql.page<IdentifiedEventRow>("list_events", parts, [tenant, limit, offset, ...values]);
      return { items: items.map(toIdentifiedEvent), total };
    },
    async listEventsSince(tenant, source, { since, limit }) {
      const keys = `SELECT notification_pk AS pk FROM ${events} WHERE tenant = $1 AND source = $2 AND received_at >= $3
        ORDER BY received_at, notification_pk LIMIT $4`;
      const text = `SELECT ${columns.event} FROM (${keys}) k ${join} ${events} e ON e.notification_pk = k.pk
        ${join} ${notifications} n ON n.pk = k.pk ORDER BY e.received_at, e.notification_pk`;
      return (await sql.rows<EventRow>("events_since", text, [tenant, source, since, limit])).map(toEvent);
    },
    async acknowledgeEvent(tenant, id, { client, at }) {
      const find = `SELECT n.pk FROM ${notifications} n ${join} ${events} e ON e.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = $2`;
      const [event] = isUuid(id) ? await sql.rows<{ readonly pk: number }>("find_event", find, [tenant, id.toLowerCase()]) : [];
      if (event !== undefined) {
        // The first time stays.
        const add = `INSERT INTO ${eventAcks} (notification_pk, client, acknowledged_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`;
        await sql.inTransaction("acknowledge_event", [add], [event.pk, client, at]);
      }
      return event !== undefined;
    },
    async sweep(before, { after, limit }) {
      const look = `SELECT e.notification_pk AS pk, ${sql.milliseconds("e.received_at")} AS "receivedAt", EXISTS (
          SELECT 1 FROM ${processingRecords} r WHERE r.notification_pk = e.notification_pk AND r.status IN ('PENDING', 'PROCESSING')) AS "isOpen"
        FROM ${events} e WHERE e.notification_pk > $1 ORDER BY e.notification_pk LIMIT $2`;
      type Looked = Pick<EventRow, "pk" | "receivedAt"> & { readonly isOpen: boolean | 0 | 1 };
      const looked = await sql.rows<Looked>("events_to_sweep", look, [Number(after ?? 0), limit]);
      const over = looked.filter(({ receivedAt, isOpen }) => receivedAt < before.getTime() && !isOpen);
      // A host's connection to SQLite may not enforce foreign keys, so what hangs on the notification is deleted by name.
      const parts = [eventAcks, processingRecords, events].map(
        (table) => `DELETE FROM ${table} WHERE ${sql.isIn("notification_pk", "$1", "bigint")}`,
      );
      parts.push(`DELETE FROM ${notifications} WHERE ${sql.isIn("pk", "$1", "bigint")}`);
      await sql.inTransaction("sweep_events", parts, [JSON.stringify(over.map(({ pk }) => pk))]);
      const last = looked.length < limit ? undefined : looked.at(-1);
      return { removed: over.length, next: last !== undefined && last.receivedAt < before.getTime() ? String(last.pk) : null };
    },
  };
}

/** Processing records in a SQL database, but for writing and leasing them. */
function recordStorage(sql: Sql): Pick<HubStorage, "recordsOf" | "findRecords" | "listSettledSince"> {
  const { join, tables } = sql;
  const { notifications, processingRecords } = tables;
  const columns = hubColumns(sql).record;
  return {
    async recordsOf(tenant, id) {
      const text = `SELECT ${columns} FROM ${notifications} n ${join} ${processingRecords} r ON r.notification_pk = n.pk
        WHERE n.tenant = $1 AND n.id = $2 ORDER BY r.pk`;
      return isUuid(id) ? (await sql.rows<RecordRow>("records_of", text, [tenant, id.toLowerCase()])).map(toRecord) : [];
    },
    async findRecords(tenant, ids) {
      const text = `SELECT ${columns} FROM ${processingRecords} r ${join} ${notifications} n ON n.pk = r.notification_pk
        WHERE r.tenant = $1 AND ${sql.isIn("r.id", "$2", "uuid")}`;
      return (await sql.rows<RecordRow>("find_records", text, [tenant, listOf(ids)])).map(toRecord);
    },
    async listSettledSince(tenant, source, { since, limit }) {
      const keys = `SELECT pk FROM ${processingRecords} WHERE tenant = $1 AND source = $2 AND completed_at >= $3
        ORDER BY completed_at, pk LIMIT $4`;
      const text = `SELECT ${columns} FROM (${keys}) k ${join} ${processingRecords} r ON r.pk = k.pk
        ${join} ${notifications} n ON n.pk = r.notification_pk ORDER BY r.completed_at, r.pk`;
      return (await sql.rows<RecordRow>("settled_since", text, [tenant, source, since, limit])).map(toSourceRecord);
    },
  };
}

/** The operations of the hub that both storages share: all but writing events, and leasing and ending records. */
export function sharedHub(sql: Sql): Omit<HubStorage, "createEvents" | "leases" | "endRecords"> {
  return { ...eventStorage(sql), ...recordStorage(sql), ...identityStorage(sql), ...handlerStorage(sql) };
}

/** Ids as a list in JSON, those that are none left out. */
function listOf(ids: readonly string[]): string {
  return JSON.stringify(ids.filter(isUuid).map((id) => id.toLowerCase()));
}
