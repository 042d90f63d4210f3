import type { CreatedItem, Notification, Owner } from "@belfry/core";
import type { FanOutChunk, FanOutTurn, NewNotification } from "@belfry/core/storage";
import { isGrouped, type ListPart, PLACE_OF_OTHERS, usersInParts } from "@belfry/storage-sql";
import type { Connection, Session } from "../database/connection.ts";
import { isLockTimeout, isTransientConflict, wrapError } from "../database/errors.ts";
import { type JsonRow, plannedAnew, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { prepareBusyInboxes } from "./busy-rows.ts";
import { countRecipients } from "./count-recipients.ts";
import { BUSY_TIMEOUT_MS, lockGuard, newestBroadcast } from "./inbox-state.ts";
import { NOTIFICATION_FIELDS } from "./item-row.ts";
import { prepareSettleEntries } from "./settle-created.ts";

/** The list of a fan-out, and how its deliveries are made, in JSON. */
export interface StoredList extends Pick<Notification, "tenant" | "id"> {
  readonly plan: string | null;
  readonly parts: Iterable<ListPart>;
}

/**
 * Writes a fan-out and its list, within a transaction. Its notification is written. Returns false if that transaction ended meanwhile,
 * by its `mark`: then it is never begun.
 */
export function prepareWriteList({ notifications, fanOuts, fanOutParts }: TableNames) {
  const write = statement<[pk: number]>(
    "write_fan_out",
    `INSERT INTO ${fanOuts} (tenant, notification_pk, plan, drop_at) SELECT tenant, pk, $3, now() FROM ${notifications} WHERE tenant = $1 AND id = $2
    RETURNING pk`,
  );
  // A statement for each part, so that a long list never blocks the event loop while it is put into text.
  const writePart = statement<[]>(
    "write_fan_out_part",
    `INSERT INTO ${fanOutParts} (fan_out_pk, channel, place, recipients, taken_until)
    VALUES ($1, $2, $3, $4, CASE WHEN $3::bigint = ${PLACE_OF_OTHERS} THEN 'infinity'::timestamptz END)`,
  );
  const begin = statement<[one: number]>(
    "begin_fan_out",
    `UPDATE ${fanOuts} SET drop_at = NULL WHERE pk = $1 AND ($2::text IS NULL OR $2 = current_setting('belfry.transaction', true)) RETURNING 1`,
  );
  return async (session: Session, { tenant, id, plan, parts }: StoredList, mark: string | null = null): Promise<boolean> => {
    const [[pk] = [0]] = await session.rows(write, [tenant, id, plan]);
    for (const { channel, place, recipients } of parts) {
      await session.rows(writePart, [pk, channel, place, recipients]);
    }
    return (await session.rows(begin, [pk, mark])).length > 0;
  };
}

/**
 * Writes a notification and the list of its users, within a transaction, unless the notification is there. Returns false if the transaction
 * ended meanwhile, by its `mark`.
 */
export function prepareWriteFanOut(tables: TableNames) {
  const writeNotification = statement<[pk: number]>(
    "write_notification",
    `INSERT INTO ${tables.notifications} (${NOTIFICATION_FIELDS.names}) VALUES (${NOTIFICATION_FIELDS.parameters})
    ON CONFLICT (tenant, id) DO NOTHING RETURNING pk`,
  );
  const writeList = prepareWriteList(tables);
  return async (
    session: Session,
    { notification, recipients }: NewNotification,
    { size, mark = null }: { readonly size: number; readonly mark?: string | null },
  ): Promise<boolean> => {
    const [written] = await session.rows(writeNotification, NOTIFICATION_FIELDS.values(notification));
    return written === undefined || writeList(session, { ...notification, plan: null, parts: usersInParts(recipients, size) }, mark);
  };
}

/** Writes a notification and the list of its users, in one transaction. */
export function prepareCreateFanOut(tables: TableNames) {
  const write = prepareWriteFanOut(tables);
  return (entry: NewNotification, size: number) =>
    (connection: Connection): Promise<void> =>
      connection.transaction(async (session) => {
        await write(session, entry, { size });
      });
}

/** The first row has the notification, each other row an item; their other columns are null. */
type ChunkRow = readonly [place: number, userId: string, seq: number, epoch: string, notification: object];

/** Writes the items of the next chunk and forgets it. Recipients whose inboxes are held are left for a later chunk. */
export function prepareFanOutNext(tables: TableNames) {
  const busyInboxes = prepareBusyInboxes(tables);
  const writeChunk = plannedAnew<ChunkRow>(writeChunkText(tables));
  const next = statement<[tenant: string, userId: string]>(
    "next_chunk",
    `SELECT chunk.tenant, r.user_id
    FROM (${selectNextPart(tables, { columns: "f.tenant, p.recipients", at: "$1", after: "$2", condition: OF_ITEMS, as: "read" })}) chunk
    CROSS JOIN LATERAL unnest(chunk.recipients) AS r(user_id)`,
  );

  const adopt = statement<[one: number]>("adopt_chunk", adoptChunkText(tables));
  const isAny = statement<[isAny: boolean]>(
    "any_chunk",
    `SELECT EXISTS (SELECT 1 FROM ${tables.fanOuts} f WHERE ${OF_ITEMS}) OR EXISTS (SELECT 1 FROM ${tables.fanOutChunks})`,
  );

  /** Finds the held inboxes of the next chunk. If all of its inboxes are held, waits for one of them. */
  const findBusy = async (session: Session, turn: Turn): Promise<readonly Owner[]> => {
    const inboxes = (await session.rows(next, turn)).map(([tenant, userId]) => ({ tenant, userId }));
    const busy = await busyInboxes.find(session, inboxes);
    const [first] = busy;
    if (first === undefined || busy.length < inboxes.length) {
      return busy;
    }
    await busyInboxes.wait(session, first);
    return busy.slice(1);
  };

  const putOff = preparePutOffNext(tables);
  const settle = prepareSettleEntries(tables);
  const settled = async (session: Session, chunk: FanOutChunk, createdAt: Date): Promise<FanOutChunk> => {
    const entry = { notification: { ...chunk.notification, createdAt }, recipients: [] };
    const [items = chunk.items] = await settle(session, [entry], [chunk.items]);
    return { ...chunk, items };
  };

  const write = async (connection: Connection, at: Date, { after, isTold }: WrittenTurn): Promise<FanOutChunk | null> => {
    let busy: readonly Owner[] = [];
    for (;;) {
      try {
        const left = busy.map((inbox) => inbox.userId);
        return await connection.transaction(async (session) => {
          const chunk = toChunk(await session.rows(writeChunk, [at.toISOString(), left, BUSY_TIMEOUT_MS, isTold, after]));
          if (chunk !== null && isGrouped(chunk.notification)) {
            return settled(session, chunk, at);
          }
          return chunk && !isTold ? { ...chunk, isUntold: true } : chunk;
        });
      } catch (error) {
        if (!isLockTimeout(error)) {
          return await putOff(connection, [at.toISOString(), after], error);
        }
        busy = await findBusy(connection, [at.toISOString(), after]);
      }
    }
  };

  return (at: Date, { after = "", isWanted }: FanOutTurn = {}) =>
    async (connection: Connection): Promise<FanOutChunk | null> => {
      // Usually there is none, and a look from time to time is not to plan a chunk.
      if ((await connection.rows(isAny, []))[0]?.[0] === false) {
        return null;
      }
      // To read where five thousand items went costs more than to look at the inboxes that somebody follows.
      const turn = { after, isTold: isWanted === undefined };
      const chunk = await write(connection, at, turn);
      const adopted = chunk === null ? await connection.rows(adopt, []) : [];
      return adopted.length > 0 ? write(connection, at, turn) : chunk;
    };
}

type Turn = readonly [at: string, after: string];

interface WrittenTurn {
  readonly after: string;
  /** Whether to say where the items went. */
  readonly isTold: boolean;
}

/** Leaves the next chunk alone after a failure that is its own; throws any other. */
function preparePutOffNext(tables: TableNames) {
  const putOff = statement<JsonRow<object>>(
    "put_off_chunk",
    `WITH p AS (
      UPDATE ${tables.fanOutParts} SET taken_until = $1::timestamptz + ${TAKEN} WHERE pk = (
        ${selectNextPart(tables, { columns: "p.pk", at: "$1", after: "$2", condition: OF_ITEMS })}
      ) RETURNING fan_out_pk
    )
    SELECT to_json(r) FROM (
      SELECT ${NOTIFICATION_FIELDS.columns("n")} FROM p JOIN ${tables.fanOuts} f ON f.pk = p.fan_out_pk
      JOIN ${tables.notifications} n ON n.pk = f.notification_pk
    ) r`,
  );
  return async (session: Session, turn: Turn, error: unknown): Promise<FanOutChunk> => {
    const failure = wrapError(error);
    const [[row] = []] = isTransientConflict(error) || failure.retryable ? [] : await session.rows(putOff, turn);
    if (row === undefined) {
      throw error;
    }
    return { notification: NOTIFICATION_FIELDS.record(row), items: [], failure };
  };
}

const OF_ITEMS = "f.plan IS NULL";

/** How long a part is left to whoever took it, or alone once it could not be written. It is written only once, however many take it. */
export const TAKEN = "interval '10 seconds'";

/** What a {@link selectNextPart} looks for, and how. */
interface NextPart {
  readonly columns: string;
  readonly at: string;
  /** The tenant that had its turn last. */
  readonly after: string;
  readonly condition: string;
  /** Whether others are to leave the part alone until the end of the transaction. @default "held" */
  readonly as?: "held" | "read";
}

/**
 * The oldest part `p`, at the time `at`, that is still to be written and is not taken: of the tenant whose turn it is. It goes on to the
 * next fan-out `f` only if others hold all parts of one, and locks no part of those behind.
 */
export function selectNextPart(
  { fanOuts, fanOutParts, notifications }: TableNames,
  { columns, at, after, condition, as = "held" }: NextPart,
): string {
  const [held, shared] = as === "held" ? ["FOR UPDATE SKIP LOCKED", "FOR SHARE OF f SKIP LOCKED"] : ["", ""];
  return `SELECT ${columns} FROM (
        SELECT f.pk, f.tenant, f.notification_pk FROM ${fanOuts} f JOIN ${notifications} n ON n.pk = f.notification_pk
        WHERE f.drop_at IS NULL AND (n.expires_at IS NULL OR n.expires_at > ${at}::timestamptz) AND ${condition}
        ORDER BY f.tenant <= ${after}::text, f.tenant, f.pk ${shared}
      ) f CROSS JOIN LATERAL (
        SELECT * FROM ${fanOutParts} WHERE fan_out_pk = f.pk AND (taken_until IS NULL OR taken_until <= ${at}::timestamptz)
        ORDER BY pk LIMIT 1 ${held}
      ) p LIMIT 1`;
}

/** Makes a fan-out of the oldest chunk that a process of an older version left. */
export function adoptChunkText({ fanOuts, fanOutChunks, fanOutParts, notifications }: TableNames): string {
  return `WITH taken AS (
    DELETE FROM ${fanOutChunks} WHERE pk = (SELECT pk FROM ${fanOutChunks} ORDER BY pk LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING notification_pk, recipients
  ),
  begun AS (
    INSERT INTO ${fanOuts} (tenant, notification_pk) SELECT n.tenant, n.pk FROM taken JOIN ${notifications} n ON n.pk = taken.notification_pk
    RETURNING pk
  )
  INSERT INTO ${fanOutParts} (fan_out_pk, place, recipients) SELECT begun.pk, 0, taken.recipients FROM begun CROSS JOIN taken RETURNING 1`;
}

/**
 * The recipients of a chunk are distinct, so that each counter goes up by one, and the new counters are the places of the items.
 * $1 the items' creation time, $2 users to leave for later, $3 the lock timeout, $4 whether to say where the items went; of groups
 * and keys it always says so. $5 the tenant that had its turn last.
 */
function writeChunkText(tables: TableNames): string {
  return `WITH ${lockGuard("$3")},
  chunk AS MATERIALIZED (
    SELECT taken.* FROM guard CROSS JOIN LATERAL (
      ${selectNextPart(tables, { columns: "p.pk, p.fan_out_pk, f.notification_pk, p.recipients, p.place", at: "$1", after: "$5", condition: `${OF_ITEMS} AND guard.lock_timeout IS NOT NULL` })}
    ) taken
  ),
  forgotten AS (DELETE FROM ${tables.fanOutParts} WHERE pk = (SELECT pk FROM chunk)),
  recipient AS MATERIALIZED (
    SELECT r.place, chunk.notification_pk, r.user_id, r.user_id = ANY ($2::text[]) AS is_left
    FROM chunk CROSS JOIN LATERAL unnest(chunk.recipients) WITH ORDINALITY AS r(user_id, place)
    ORDER BY r.user_id COLLATE "C"
  ),
  put_off AS (
    INSERT INTO ${tables.fanOutParts} (fan_out_pk, place, recipients)
    SELECT chunk.fan_out_pk, chunk.place, r.users FROM chunk CROSS JOIN (
      SELECT array_agg(user_id ORDER BY place) AS users FROM recipient WHERE is_left
    ) r WHERE r.users IS NOT NULL RETURNING fan_out_pk
  ),
  ended AS (
    DELETE FROM ${tables.fanOuts} f USING chunk WHERE f.pk = chunk.fan_out_pk AND NOT EXISTS (SELECT FROM put_off)
      AND NOT EXISTS (SELECT FROM ${tables.fanOutParts} p WHERE p.fan_out_pk = chunk.fan_out_pk AND p.pk <> chunk.pk)
  ),
  notification AS MATERIALIZED (
    SELECT n.*, ${newestBroadcast(tables, "n.tenant")} AS began_after FROM chunk JOIN ${tables.notifications} n ON n.pk = chunk.notification_pk
  ),
  ${countRecipients(tables, { from: "recipient", which: "NOT u.is_left" })},
  written AS (
    INSERT INTO ${tables.inboxItems} (tenant, user_id, seq, notification_pk, type, created_at, category, group_name, replace_key, expires_at)
    SELECT n.tenant, c.user_id, c.last_seq, n.pk, n.type, $1::timestamptz, n.category, n.group_name, n.replace_key, n.expires_at
    FROM notification n CROSS JOIN counter c
  )
  SELECT 0 AS place, NULL AS user_id, NULL::bigint AS seq, NULL AS epoch,
    (SELECT to_json(n) FROM (SELECT ${NOTIFICATION_FIELDS.columns("n")} FROM notification n) n)
  FROM chunk
  UNION ALL
  SELECT 1, user_id, last_seq, epoch, NULL FROM counter
  WHERE $4 OR (SELECT group_name IS NOT NULL OR replace_key IS NOT NULL FROM notification)
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
