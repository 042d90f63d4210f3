import type { ProcessingRecord, SourceRecord } from "@belfry/core";
import type { ClaimedRecord, EndedRecord, Lease, LeaseRequest } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { LeaseTable } from "../database/leases.ts";
import type { QueryContext } from "../database/statement.ts";
import { joinValue } from "../inbox/conditions.ts";
import {
  IDENTIFIED_EVENT_COLUMNS,
  type IdentifiedEventRow,
  JOIN_IDENTITY,
  RECORD_COLUMNS,
  type RecordRow,
  toIdentifiedEvent,
  toRecord,
  toSourceRecord,
} from "./rows.ts";

/** How many due records are looked at, whosever they are, before each tenant's are looked at by themselves. */
const CANDIDATES = 1_000;

const SELECT_RECORD = sql`select ${RECORD_COLUMNS} from belfry_processing_records r cross join belfry_notifications n on n.pk = r.notification_pk`;

/** Processing records as tasks to be leased. */
export const RECORD_LEASES: LeaseTable<RecordRow, ClaimedRecord, object> = {
  table: sql`belfry_processing_records`,
  isDue: sql`status = 'PENDING' and due_at <= ${sql.placeholder("at")}`,
  queues: [sql`select due_at as due from belfry_processing_records where status = 'PENDING' order by due_at limit 1`],
  select: SELECT_RECORD,
  alias: sql`r`,
  claimed: { status: "PROCESSING" },
  due: prepareDue,
  tasks: prepareWithEvents,
};

interface DueRow {
  readonly pk: number;
  readonly tenant: string;
  readonly due_at: number;
}

/** Finds the records that are due first, those of some tenants left out. */
function prepareDue(context: QueryContext) {
  const first = context.prepare<{ readonly atMs: number; readonly limit: number }, DueRow>(sql`
    select pk, tenant, due_at from belfry_processing_records where status = 'PENDING' and due_at <= ${sql.placeholder("atMs")}
    order by due_at, pk limit ${sql.placeholder("limit")}`);
  const read = context.prepare<{ readonly pk: number }, RecordRow>(sql`${SELECT_RECORD} where r.pk = (select ${sql.placeholder("pk")})`);
  const ofOthers = prepareDueByTenant(context);
  return ({ at, limit, exceptTenants }: LeaseRequest): readonly RecordRow[] => {
    const atMs = at.getTime();
    const except = new Set(exceptTenants);
    const candidates = first.all({ atMs, limit: except.size === 0 ? limit : Math.max(limit, CANDIDATES) });
    const found = candidates.filter(({ tenant }) => !except.has(tenant));
    // One tenant may have a million in front of everybody else's: going past them one by one would take as long.
    const isAll = found.length >= limit || candidates.length < CANDIDATES;
    return (isAll ? found : ofOthers({ atMs, limit, except })).slice(0, limit).flatMap(({ pk }) => read.all({ pk }));
  };
}
/** Finds the due records of every tenant by itself, with one step for each tenant that has any pending. */
function prepareDueByTenant({ prepare }: QueryContext) {
  const nextTenant = prepare<{ readonly after: string }, { readonly tenant: string | null }>(sql`
    select min(tenant) as tenant from belfry_processing_records where status = 'PENDING' and tenant > ${sql.placeholder("after")}`);
  const dueOf = prepare<{ readonly tenant: string; readonly atMs: number; readonly limit: number }, DueRow>(sql`
    select pk, tenant, due_at from belfry_processing_records
    where status = 'PENDING' and tenant = ${sql.placeholder("tenant")} and due_at <= ${sql.placeholder("atMs")}
    order by due_at, pk limit ${sql.placeholder("limit")}`);
  return ({ atMs, limit, except }: { readonly atMs: number; readonly limit: number; readonly except: ReadonlySet<string> }) => {
    let due: readonly DueRow[] = [];
    let untilMs = atMs;
    for (
      let tenant = nextTenant.get({ after: "" })?.tenant;
      typeof tenant === "string";
      tenant = nextTenant.get({ after: tenant })?.tenant
    ) {
      const found = except.has(tenant) ? [] : dueOf.all({ tenant, atMs: untilMs, limit });
      if (found.length > 0) {
        due = [...due, ...found].sort((left, right) => left.due_at - right.due_at || left.pk - right.pk).slice(0, limit);
        // With enough of them, only what is due before the last of them is of interest.
        untilMs = due.length < limit ? atMs : (due.at(-1)?.due_at ?? atMs);
      }
    }
    return due;
  };
}
/** Adds to records the events that are to be processed. */
function prepareWithEvents({ prepare }: QueryContext) {
  const eventOf = prepare<{ readonly pk: number }, IdentifiedEventRow>(sql`
    select ${IDENTIFIED_EVENT_COLUMNS} from belfry_events e cross join belfry_notifications n on n.pk = e.notification_pk ${JOIN_IDENTITY}
    where e.notification_pk = (select ${sql.placeholder("pk")})`);
  return (rows: readonly RecordRow[]): readonly ClaimedRecord[] => {
    const events = new Map<number, IdentifiedEventRow>();
    return rows.map((row) => {
      const event = events.get(row.notification_pk) ?? eventOf.get({ pk: row.notification_pk });
      if (event === undefined) {
        throw new Error(`The processing record ${row.id} was found without its event.`);
      }
      events.set(row.notification_pk, event);
      return { record: toRecord(row), fence: row.fence, event: toIdentifiedEvent(event) };
    });
  };
}

interface EndValues extends Omit<EndedRecord, "id" | "dueInMs" | "fence" | "lostAt"> {
  readonly pk: number;
  readonly dueAt: number | null;
  readonly completedAt: number | null;
}

/** Gives a record that was leased the status it is to have, and takes its lease off. */
function prepareEnd({ prepare }: QueryContext) {
  return prepare<EndValues>(sql`
    update belfry_processing_records set status = ${sql.placeholder("status")}, result = ${sql.placeholder("result")},
      error = case when ${sql.placeholder("status")} = 'PENDING' then coalesce(${sql.placeholder("error")}, error) else ${sql.placeholder("error")} end, input_tokens = ${sql.placeholder("inputTokens")}, output_tokens = ${sql.placeholder("outputTokens")},
      due_at = ${sql.placeholder("dueAt")}, completed_at = ${sql.placeholder("completedAt")}, lease_owner = null, lease_until = null
    where pk = ${sql.placeholder("pk")}`);
}

/** Reads one record as it is. */
function prepareReadRecord({ prepare }: QueryContext) {
  const find = prepare<{ readonly pk: number }, RecordRow>(sql`
    select ${RECORD_COLUMNS} from belfry_processing_records r cross join belfry_notifications n on n.pk = r.notification_pk
    where r.pk = (select ${sql.placeholder("pk")})`);
  return (pk: number): readonly SourceRecord[] => find.all({ pk }).map(toSourceRecord);
}

/** Ends attempts whose lease is still held; inside a transaction that the caller opened. */
export function prepareEndRecords(context: QueryContext) {
  const end = prepareEnd(context);
  const read = prepareReadRecord(context);
  const held = context.prepare<Lease & { readonly owner: string }, { readonly pk: number; readonly until: number }>(sql`
    select pk, lease_until as "until" from belfry_processing_records
    where id = ${sql.placeholder("id")} and lease_owner = ${sql.placeholder("owner")} and fence = ${sql.placeholder("fence")}`);
  return (owner: string, ended: readonly EndedRecord[], at: Date): readonly SourceRecord[] =>
    ended.flatMap(({ id, fence, dueInMs, lostAt, ...outcome }) => {
      const found = held.get({ id, fence, owner });
      const isRenewed = lostAt !== undefined && lostAt.getTime() !== found?.until;
      if (found === undefined || isRenewed) {
        return [];
      }
      const times =
        outcome.status === "PENDING"
          ? { dueAt: at.getTime() + (dueInMs ?? 0), completedAt: null }
          : { dueAt: null, completedAt: at.getTime() };
      end.run({ ...outcome, ...times, pk: found.pk });
      return read(found.pk);
    });
}

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
