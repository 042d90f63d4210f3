import type { ProcessingRecord, SourceRecord } from "@belfry/core";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { joinValue } from "../inbox/conditions.ts";
import { RECORD_COLUMNS, type RecordRow, toRecord, toSourceRecord } from "./record-row.ts";

/** Reads the records of one event, in the order of their creation. */
export function prepareRecordsOf({ prepare }: QueryContext) {
  const list = prepare<{ readonly tenant: string; readonly id: string }, RecordRow>(sql`
    select ${RECORD_COLUMNS} from belfry_notifications n cross join belfry_processing_records r on r.notification_pk = n.pk
    where n.tenant = ${joinValue("tenant")} and n.id = ${joinValue("id")} order by r.pk`);
  return (tenant: string, id: string): readonly ProcessingRecord[] => list.all({ tenant, id: id.toLowerCase() }).map(toRecord);
}

/** Finds records by their ids. */
export function prepareFindRecords({ prepare }: QueryContext) {
  const find = prepare<{ readonly tenant: string; readonly ids: string }, RecordRow>(sql`
    select ${RECORD_COLUMNS} from (select distinct value as id from json_each(${sql.placeholder("ids")})) named
    cross join belfry_processing_records r on r.id = named.id cross join belfry_notifications n on n.pk = r.notification_pk
    where r.tenant = ${joinValue("tenant")}`);
  return (tenant: string, ids: readonly string[]): readonly ProcessingRecord[] =>
    find.all({ tenant, ids: JSON.stringify(ids.map((id) => id.toLowerCase())) }).map(toRecord);
}

/** Reads what settled since a time, of one source's events. */
export function prepareListSettledSince({ prepare }: QueryContext) {
  const list = prepare<{ readonly tenant: string; readonly source: string; readonly since: number; readonly limit: number }, RecordRow>(sql`
    select ${RECORD_COLUMNS} from belfry_processing_records r cross join belfry_notifications n on n.pk = r.notification_pk
    where r.tenant = ${joinValue("tenant")} and r.source = ${joinValue("source")} and r.completed_at >= ${joinValue("since")}
    order by r.completed_at, r.pk limit ${sql.placeholder("limit")}`);
  return (tenant: string, source: string, { since, limit }: { readonly since: Date; readonly limit: number }): readonly SourceRecord[] =>
    list.all({ tenant, source, since: since.getTime(), limit }).map(toSourceRecord);
}
