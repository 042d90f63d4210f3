import { type HubEvent, type HubPage, type IdentifiedEvent, isUuid } from "@belfry/core";
import type { HubRange } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import type { JsonRow } from "../database/json-rows.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import {
  EVENT_COLUMNS,
  type EventRow,
  IDENTIFIED_EVENT_COLUMNS,
  type IdentifiedEventRow,
  joinIdentity,
  toEvent,
  toIdentifiedEvent,
} from "./event-row.ts";
import { pageStatement, toPage } from "./page.ts";

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
