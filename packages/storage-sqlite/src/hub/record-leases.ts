import type { ClaimedRecord, LeaseRequest } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { LeaseTable } from "../database/leases.ts";
import type { QueryContext } from "../database/query-context.ts";
import { IDENTIFIED_EVENT_COLUMNS, type IdentifiedEventRow, JOIN_IDENTITY, toIdentifiedEvent } from "./event-row.ts";
import { RECORD_COLUMNS, type RecordRow, toRecord } from "./record-row.ts";

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
