import type { CreatedItem, Owner } from "@belfry/core";
import type { FanOutChunk, NewNotification } from "@belfry/core/storage";
import type { Connection, Session } from "../database/connection.ts";
import { isLockTimeout } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { BUSY_TIMEOUT_MS, lockGuard, NEW_EPOCH, prepareBusyInboxes } from "./inbox-state.ts";
import { NOTIFICATION_FIELDS } from "./item-row.ts";

/** Writes a notification and the chunks of its recipients, in one transaction. */
export function prepareCreateFanOut({ notifications, fanOutChunks }: TableNames) {
  const writeNotification = statement<[pk: number]>(
    "write_notification",
    `INSERT INTO ${notifications} (${NOTIFICATION_FIELDS.names}) VALUES (${NOTIFICATION_FIELDS.parameters})
    ON CONFLICT (tenant, id) DO NOTHING RETURNING pk`,
  );
  // A statement for each chunk, so that a long list never blocks the event loop while it is put into text.
  const writeChunk = statement<[]>("write_recipients", `INSERT INTO ${fanOutChunks} (notification_pk, recipients) VALUES ($1, $2)`);
  return ({ notification, recipients }: NewNotification, chunkSize: number) =>
    (connection: Connection): Promise<void> =>
      connection.transaction(async (session) => {
        const [written] = await session.rows(writeNotification, NOTIFICATION_FIELDS.values(notification));
        if (written === undefined) {
          return;
        }
        for (let start = 0; start < recipients.length; start += chunkSize) {
          await session.rows(writeChunk, [written[0], recipients.slice(start, start + chunkSize)]);
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

/**
 * The recipients of a chunk are distinct, so that each counter goes up by one, and the new counters are the places of the items.
 * $1 the items' creation time, $2 users to leave for later, $3 the lock timeout.
 */
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
  notification AS MATERIALIZED (
    SELECT n.* FROM chunk JOIN ${tables.notifications} n ON n.pk = chunk.notification_pk
  ),
  counter AS (
    INSERT INTO ${tables.inboxCounters} AS c (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
    SELECT n.tenant, r.user_id, 1, 1, 1, 0, ${NEW_EPOCH} FROM notification n CROSS JOIN recipient r
    WHERE NOT r.is_left ORDER BY r.user_id COLLATE "C"
    ON CONFLICT (tenant, user_id) DO UPDATE SET last_seq = c.last_seq + 1, total = c.total + 1, unread = c.unread + 1
    RETURNING user_id, last_seq, epoch
  ),
  written AS (
    INSERT INTO ${tables.inboxItems} (tenant, user_id, seq, notification_pk, type, created_at)
    SELECT n.tenant, c.user_id, c.last_seq, n.pk, n.type, $1::timestamptz FROM notification n CROSS JOIN counter c
  )
  SELECT 0 AS place, NULL AS user_id, NULL::bigint AS seq, NULL AS epoch,
    (SELECT to_json(n) FROM (SELECT ${NOTIFICATION_FIELDS.columns("n")} FROM notification n) n)
  FROM chunk
  UNION ALL
  SELECT 1, user_id, last_seq, epoch, NULL FROM counter
  ORDER BY place, user_id`;
}

function toChunk([first, ...rows]: readonly ChunkRow[]): FanOutChunk | null {
  if (first === undefined) {
    return null;
  }
  const [, , , , notification] = first;
  const items = rows.map(([, userId, seq, epoch]): CreatedItem => ({ userId, seq, epoch }));
  return { notification: NOTIFICATION_FIELDS.record(notification), items };
}
