import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/query-context.ts";

/** Notes who acknowledged an event; the first time stays. */
export function prepareAcknowledgeEvent({ prepare }: QueryContext) {
  const find = prepare<{ readonly tenant: string; readonly id: string }, { readonly pk: number }>(sql`
    select n.pk from belfry_notifications n where n.tenant = ${sql.placeholder("tenant")} and n.id = ${sql.placeholder("id")} and n.kind = 'event'`);
  const insert = prepare<{ readonly pk: number; readonly client: string; readonly at: number }>(sql`
    insert into belfry_event_acks (notification_pk, client, acknowledged_at)
    values (${sql.placeholder("pk")}, ${sql.placeholder("client")}, ${sql.placeholder("at")}) on conflict do nothing`);
  return (tenant: string, id: string, { client, at }: { readonly client: string; readonly at: Date }): boolean => {
    const event = find.get({ tenant, id: id.toLowerCase() });
    if (event === undefined) {
      return false;
    }
    insert.run({ pk: event.pk, client, at: at.getTime() });
    return true;
  };
}
