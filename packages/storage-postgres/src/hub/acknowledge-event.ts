import { isUuid } from "@belfry/core";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** Notes who acknowledged an event; the first time stays. */
export function prepareAcknowledgeEvent({ notifications, events, eventAcks }: TableNames) {
  const acknowledge = statement<[pk: number]>(
    "acknowledge_event",
    `WITH event AS (
      SELECT n.pk FROM ${notifications} n JOIN ${events} e ON e.notification_pk = n.pk WHERE n.tenant = $1 AND n.id = $2
    ),
    ack AS (
      INSERT INTO ${eventAcks} (notification_pk, client, acknowledged_at) SELECT pk, $3, $4::timestamptz FROM event ON CONFLICT DO NOTHING
    )
    SELECT pk FROM event`,
  );
  return (tenant: string, id: string, { client, at }: { readonly client: string; readonly at: Date }) =>
    async (session: Session): Promise<boolean> =>
      isUuid(id) && (await session.rows(acknowledge, [tenant, id, client, at.toISOString()])).length > 0;
}
