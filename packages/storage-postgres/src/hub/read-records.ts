import { type HubEvent, isUuid, type ProcessingRecord, type SourceRecord } from "@belfry/core";
import type { Session } from "../database/connection.ts";
import type { JsonRow } from "../database/json-rows.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { RECORD_COLUMNS, type RecordRow, toRecord, toSourceRecord } from "./record-row.ts";

/** Reads the records of one event, in the order of their creation. */
export function prepareRecordsOf(tables: TableNames) {
  const recordsOf = prepareRecordsOfAll(tables);
  return (tenant: string, id: string) =>
    async (session: Session): Promise<readonly ProcessingRecord[]> => {
      const [records = []] = await recordsOf(session, [{ tenant, id }]);
      return records;
    };
}

/** Reads the records of events, of each in the order of their creation. Events that are not there have none. */
export function prepareRecordsOfAll({ notifications, processingRecords }: TableNames) {
  const list = statement<JsonRow<RecordRow & { readonly place: number }>>(
    "records_of",
    `SELECT to_json(x) FROM (
      SELECT ${RECORD_COLUMNS}, k.place FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS k(tenant, id, place)
      JOIN ${notifications} n ON n.tenant = k.tenant AND n.id = k.id JOIN ${processingRecords} r ON r.notification_pk = n.pk
      ORDER BY k.place, r.pk) x`,
  );
  return async (
    session: Session,
    events: readonly Pick<HubEvent, "tenant" | "id">[],
  ): Promise<readonly (readonly ProcessingRecord[])[]> => {
    const named = events.filter(({ id }) => isUuid(id));
    const rows = await session.rows(list, [named.map(({ tenant }) => tenant), named.map(({ id }) => id)]);
    const byPlace = Map.groupBy(rows, ([{ place }]) => place);
    return events.map((event) => (byPlace.get(named.indexOf(event) + 1) ?? []).map(([row]) => toRecord(row)));
  };
}

/** Finds records by their ids. */
export function prepareFindRecords({ notifications, processingRecords }: TableNames) {
  const find = statement<JsonRow<RecordRow>>(
    "find_records",
    `SELECT to_json(x) FROM (
      SELECT ${RECORD_COLUMNS} FROM ${processingRecords} r JOIN ${notifications} n ON n.pk = r.notification_pk
      WHERE r.tenant = $1 AND r.id = ANY ($2::uuid[])) x`,
  );
  return (tenant: string, ids: readonly string[]) =>
    async (session: Session): Promise<readonly ProcessingRecord[]> =>
      (await session.rows(find, [tenant, ids.filter(isUuid)])).map(([row]) => toRecord(row));
}

/** Reads what settled since a time, of one source's events. */
export function prepareListSettledSince({ notifications, processingRecords }: TableNames) {
  const list = statement<JsonRow<RecordRow>>(
    "settled_since",
    `SELECT to_json(x) FROM (
      SELECT ${RECORD_COLUMNS} FROM (
        SELECT * FROM ${processingRecords} WHERE tenant = $1 AND source = $2 AND completed_at >= $3::timestamptz
        ORDER BY completed_at, pk LIMIT $4) r
      JOIN ${notifications} n ON n.pk = r.notification_pk ORDER BY r.completed_at, r.pk) x`,
  );
  return (tenant: string, source: string, { since, limit }: { readonly since: Date; readonly limit: number }) =>
    async (session: Session): Promise<readonly SourceRecord[]> =>
      (await session.rows(list, [tenant, source, since.toISOString(), limit])).map(([row]) => toSourceRecord(row));
}
