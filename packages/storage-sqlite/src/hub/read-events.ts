import type { HubEvent, HubPage, IdentifiedEvent } from "@belfry/core";
import type { HubRange } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";
import { joinValue } from "../inbox/conditions.ts";
import {
  EVENT_COLUMNS,
  type EventRow,
  IDENTIFIED_EVENT_COLUMNS,
  type IdentifiedEventRow,
  JOIN_IDENTITY,
  toEvent,
  toIdentifiedEvent,
} from "./event-row.ts";

/** Finds events by their ids. */
export function prepareFindEvents({ prepare }: QueryContext) {
  const find = prepare<{ readonly tenant: string; readonly ids: string }, IdentifiedEventRow>(sql`
    select ${IDENTIFIED_EVENT_COLUMNS} from (select distinct value as id from json_each(${sql.placeholder("ids")})) named
    cross join belfry_notifications n on n.tenant = ${joinValue("tenant")} and n.id = named.id
    cross join belfry_events e on e.notification_pk = n.pk ${JOIN_IDENTITY}`);
  return (tenant: string, ids: readonly string[]): readonly IdentifiedEvent[] =>
    find.all({ tenant, ids: JSON.stringify(ids.map((id) => id.toLowerCase())) }).map(toIdentifiedEvent);
}

/** What events are listed by. */
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
