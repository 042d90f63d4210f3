import type { NewNotification } from "@belfry/core/storage";
import type { Connection } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { NOTIFICATION_FIELDS } from "./notification-fields.ts";

/** How many recipients one statement takes, so that a long list never blocks the event loop while it is put into text. */
const MAX_RECIPIENTS_AT_ONCE = 10_000;

/** Writes a notification and the chunks of its recipients, in one transaction. */
export function prepareCreateFanOut({ notifications, fanOutChunks }: TableNames) {
  const writeNotification = statement<[pk: number]>(
    "write_notification",
    `INSERT INTO ${notifications} (${NOTIFICATION_FIELDS.names}) VALUES (${NOTIFICATION_FIELDS.parameters})
    ON CONFLICT (tenant, id) DO NOTHING RETURNING pk`,
  );
  const writeChunks = statement<[]>(
    "write_chunks",
    `INSERT INTO ${fanOutChunks} (notification_pk, recipients)
    SELECT $1, array_agg(user_id ORDER BY place) FROM unnest($2::text[]) WITH ORDINALITY AS r(user_id, place)
    GROUP BY (place - 1) / $3::int ORDER BY (place - 1) / $3::int`,
  );
  return ({ notification, recipients }: NewNotification, chunkSize: number) =>
    (connection: Connection): Promise<void> =>
      connection.transaction(async (session) => {
        const [written] = await session.rows(writeNotification, NOTIFICATION_FIELDS.values(notification));
        if (written === undefined) {
          return;
        }
        const step = Math.max(1, Math.floor(MAX_RECIPIENTS_AT_ONCE / chunkSize)) * chunkSize;
        for (let start = 0; start < recipients.length; start += step) {
          await session.rows(writeChunks, [written[0], recipients.slice(start, start + step), chunkSize]);
        }
      });
}
