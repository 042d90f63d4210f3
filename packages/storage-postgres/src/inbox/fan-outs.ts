import type { CreatedItem, Owner } from "@belfry/core";
import type { FanOutChunk, NewNotification } from "@belfry/core/storage";
import type { Connection, Session } from "../database/connection.ts";
import { isLockTimeout } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { BUSY_TIMEOUT_MS, lockGuard, prepareBusyInboxes } from "./inbox-state.ts";
import { NOTIFICATION_FIELDS } from "./item-row.ts";
import { writeItems } from "./write-items.ts";

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

/** The first row has the notification, each other row an item; their other columns are null. */
type ChunkRow = readonly [place: number, userId: string, seq: number, epoch: string, notification: object];

/** Writes the items of the oldest chunk and forgets it. Recipients whose inboxes are held are left for a later chunk. */
export function prepareFanOutNext(tables: TableNames) {
  const busyInboxes = prepareBusyInboxes(tables);
  const writeChunk = statement<ChunkRow>("write_chunk", writeChunkText(tables));
  const oldest = statement<[tenant: string, userId: string]>(
    "oldest_chunk",
    `SELECT n.tenant, r.user_id
    FROM (SELECT notification_pk, recipients FROM ${tables.fanOutChunks} ORDER BY pk LIMIT 1) chunk
    JOIN ${tables.notifications} n ON n.pk = chunk.notification_pk
    CROSS JOIN LATERAL unnest(chunk.recipients) AS r(user_id)`,
  );

  /** Finds the held inboxes of the next chunk. If all of its inboxes are held, waits for one of them. */
  const findBusy = async (session: Session): Promise<readonly Owner[]> => {
    const inboxes = (await session.rows(oldest, [])).map(([tenant, userId]) => ({ tenant, userId }));
    const busy = await busyInboxes.find(session, inboxes);
    const [first] = busy;
    if (first === undefined || busy.length < inboxes.length) {
      return busy;
    }
    await busyInboxes.wait(session, first);
    return busy.slice(1);
  };

  return (at: Date) =>
    async (session: Session): Promise<FanOutChunk | null> => {
      let busy: readonly Owner[] = [];
      for (;;) {
        try {
          const rows = await session.rows(writeChunk, [at.toISOString(), busy.map((inbox) => inbox.userId), BUSY_TIMEOUT_MS]);
          return toChunk(rows);
        } catch (error) {
          if (!isLockTimeout(error)) {
            throw error;
          }
          busy = await findBusy(session);
        }
      }
    };
}

/** $1 the items' creation time, $2 users to leave for later, $3 the lock timeout. */
function writeChunkText(tables: TableNames): string {
  return `WITH ${lockGuard("$3")},
  chunk AS MATERIALIZED (
    SELECT taken.* FROM guard CROSS JOIN LATERAL (
      SELECT pk, notification_pk, recipients FROM ${tables.fanOutChunks} WHERE guard.lock_timeout IS NOT NULL
      ORDER BY pk LIMIT 1 FOR UPDATE SKIP LOCKED
    ) taken
  ),
  forgotten AS (DELETE FROM ${tables.fanOutChunks} WHERE pk = (SELECT pk FROM chunk)),
  recipient AS MATERIALIZED (
    SELECT r.place, chunk.notification_pk, r.user_id, r.user_id = ANY ($2::text[]) AS is_left
    FROM chunk CROSS JOIN LATERAL unnest(chunk.recipients) WITH ORDINALITY AS r(user_id, place)
  ),
  put_off AS (
    INSERT INTO ${tables.fanOutChunks} (notification_pk, recipients)
    SELECT notification_pk, array_agg(user_id ORDER BY place) FROM recipient WHERE is_left GROUP BY notification_pk
  ),
  target AS MATERIALIZED (
    SELECT r.place, n.pk, n.tenant, r.user_id COLLATE "C" AS user_id, n.type, $1::timestamptz AS created_at
    FROM recipient r JOIN ${tables.notifications} n ON n.pk = r.notification_pk WHERE NOT r.is_left
  ),
  ${writeItems(tables)}
  SELECT 0::bigint AS place, NULL AS user_id, NULL::bigint AS seq, NULL AS epoch, (
    SELECT to_json(n) FROM (SELECT ${NOTIFICATION_FIELDS.columns("n")} FROM ${tables.notifications} n WHERE n.pk = chunk.notification_pk) n)
  FROM chunk
  UNION ALL
  SELECT place, user_id, seq, epoch, NULL FROM numbered
  ORDER BY place`;
}

function toChunk([first, ...rows]: readonly ChunkRow[]): FanOutChunk | null {
  if (first === undefined) {
    return null;
  }
  const [, , , , notification] = first;
  const items = rows.map(([, userId, seq, epoch]): CreatedItem => ({ userId, seq, epoch }));
  return { notification: NOTIFICATION_FIELDS.record(notification), items };
}
