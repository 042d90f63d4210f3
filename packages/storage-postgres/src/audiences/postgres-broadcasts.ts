import type { CreatedItem, Notification, Owner } from "@belfry/core";
import type {
  BroadcastPage,
  BroadcastStorage,
  BroadcastsToPlace,
  NewBroadcast,
  PagedBroadcast,
  PlacedBroadcast,
} from "@belfry/core/storage";
import {
  deletedSince,
  isGrouped,
  type ListPart,
  PLACE_OF_OTHERS,
  partsOfPage,
  placeAfter,
  type Sql,
  sharedBroadcasts,
  usersByHash,
  withoutDeleted,
} from "@belfry/storage-sql";
import type { HostTransactions } from "../creating/host-transactions.ts";
import { type Bound, bind, inTransaction, run } from "../database/bind.ts";
import type { Connection, PostgresTransaction, Session } from "../database/connection.ts";
import { isLockTimeout } from "../database/errors.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { BUSY_TIMEOUT_MS, lockGuard, prepareMakeInbox, prepareMakeInboxes } from "../inbox/inbox-state.ts";
import { NOTIFICATION_FIELDS } from "../inbox/item-row.ts";
import { prepareSettleEntries } from "../inbox/settle-created.ts";
import { prepareWriteBroadcast } from "./write-broadcast.ts";

/** The parts that broadcasts use beside the connection. */
export interface BroadcastParts {
  readonly sql: Sql;
  hostTransactions(): HostTransactions;
}

/** Broadcasts in PostgreSQL. */
export function postgresBroadcasts(
  bound: Bound,
  { sql, hostTransactions }: BroadcastParts,
): BroadcastStorage<PostgresTransaction, Promise<void>> {
  return {
    ...sharedBroadcasts(sql),
    ...bind(bound, {
      create: run((tables) => {
        const write = prepareWriteBroadcast(tables);
        return (broadcast: NewBroadcast) => async (connection: Connection) => {
          await write(connection, broadcast);
        };
      }),
      begin: run(prepareBegin),
      beginAll: run(prepareBeginAll),
      place: run(preparePlace),
      addPage: inTransaction(prepareAddPage),
    }),
    createWithin: async (tx, broadcast, onCommit) => hostTransactions().writeBroadcast(tx, broadcast, onCommit),
  };
}

function prepareBegin(tables: TableNames) {
  const make = prepareMakeInbox(tables);
  return ({ tenant, userId }: Owner) =>
    async (connection: Connection): Promise<void> => {
      try {
        await connection.rows(make, [tenant, userId, BUSY_TIMEOUT_MS]);
      } catch (error) {
        // Another transaction begins it.
        if (!isLockTimeout(error)) {
          throw error;
        }
      }
    };
}

function prepareBeginAll(tables: TableNames) {
  const make = prepareMakeInboxes(tables);
  const beginEach = prepareBegin(tables);
  return (tenant: string, userIds: readonly string[]) =>
    async (connection: Connection): Promise<void> => {
      try {
        await connection.rows(make, [tenant, userIds, BUSY_TIMEOUT_MS]);
      } catch (error) {
        if (!isLockTimeout(error)) {
          throw error;
        }
        for (const userId of userIds) {
          await beginEach({ tenant, userId })(connection);
        }
      }
    };
}

type PlacedRow = readonly [number: number, seq: number, epoch: string, notification: object];

/** Places broadcasts in an inbox. */
function preparePlace(tables: TableNames) {
  const write = statement<PlacedRow>("place_broadcasts", placeText(tables));
  const settle = prepareSettleEntries(tables);
  const settled = async (
    session: Session,
    rows: readonly PlacedRow[],
    { owner, at }: { readonly owner: Owner; readonly at: Date },
  ): Promise<readonly PlacedBroadcast[]> => {
    const placed = rows.map(([number, seq, epoch, notification]) => {
      const item: CreatedItem = { userId: owner.userId, seq, epoch };
      return { number, item, notification: NOTIFICATION_FIELDS.record(notification) as Notification };
    });
    const entries = placed.map(({ notification }) => ({ notification: { ...notification, createdAt: at }, recipients: [owner.userId] }));
    const items = entries.some(({ notification }) => isGrouped(notification))
      ? await settle(
          session,
          entries,
          placed.map(({ item }) => [item]),
        )
      : placed.map(({ item }) => [item]);
    return placed.map(({ number, item }, index) => ({ number, item: items[index]?.[0] ?? item }));
  };
  return (owner: Owner, { placedUpTo, beganAfter, upTo, numbers, at }: BroadcastsToPlace) =>
    async (connection: Connection): Promise<readonly PlacedBroadcast[] | null> => {
      const values = [owner.tenant, owner.userId, placedUpTo, beganAfter, upTo, numbers, at.toISOString(), BUSY_TIMEOUT_MS];
      try {
        return await connection.transaction(async (session) => {
          const [moved, ...rows] = await session.rows(write, values);
          return moved === undefined ? null : await settled(session, rows, { owner, at });
        });
      } catch (error) {
        if (isLockTimeout(error)) {
          return null;
        }
        throw error;
      }
    };
}

/**
 * $1 tenant, $2 user, $3 the number up to which the inbox has to be placed, $4 that after which it began, $5 its next number, $6 the
 * numbers to place, $7 the time, $8 the lock timeout. The first row says that the inbox was as expected; a row for each item follows.
 * A broadcast that somebody ends waits for this transaction, or is not seen any more.
 */
function placeText({ broadcasts, inboxCounters, inboxItems, notifications }: TableNames): string {
  return `WITH ${lockGuard("$8")},
  chosen AS MATERIALIZED (
    SELECT b.number, b.at, n.pk, n.expires_at, row_number() OVER (ORDER BY b.number) AS place FROM (
      SELECT b.number, b.at, b.notification_pk FROM guard CROSS JOIN ${broadcasts} b
      WHERE guard.lock_timeout IS NOT NULL AND b.tenant = $1 AND b.number = ANY ($6::bigint[]) ORDER BY b.number FOR SHARE OF b
    ) b JOIN ${notifications} n ON n.pk = b.notification_pk
    WHERE n.expired_at IS NULL AND (n.expires_at IS NULL OR n.expires_at > $7::timestamptz)
  ),
  total AS MATERIALIZED (SELECT count(*) AS items, min(expires_at) AS ends_at FROM chosen),
  counter AS (
    UPDATE ${inboxCounters} c SET placed_up_to = $5::bigint, began_after = $4::bigint, last_seq = c.last_seq + total.items,
      total = c.total + total.items, unread = c.unread + total.items,
      due_at = least(c.due_at, total.ends_at)
    FROM total WHERE c.tenant = $1 AND c.user_id = $2 AND c.placed_up_to IS NOT DISTINCT FROM $3::bigint
    RETURNING c.last_seq - total.items AS before, c.epoch
  ),
  written AS (
    INSERT INTO ${inboxItems} (tenant, user_id, seq, notification_pk, type, created_at, category, group_name, replace_key, expires_at)
    SELECT $1, $2, counter.before + chosen.place, n.pk, n.type, chosen.at, n.category, n.group_name, n.replace_key, n.expires_at
    FROM counter CROSS JOIN chosen JOIN ${notifications} n ON n.pk = chosen.pk
  )
  SELECT 0::bigint AS number, 0::bigint, epoch, NULL::json FROM counter
  UNION ALL
  SELECT chosen.number, counter.before + chosen.place, counter.epoch,
    (SELECT to_json(n) FROM (SELECT ${NOTIFICATION_FIELDS.columns("n")} FROM ${notifications} n WHERE n.pk = chosen.pk) n)
  FROM counter CROSS JOIN chosen ORDER BY number`;
}

type PageRow = readonly [pk: number, fanOutPk: number | null, pageCursor: string];

/** Adds a page of the host's users to the list of a broadcast's fan-out. */
function prepareAddPage(tables: TableNames) {
  const { broadcasts, notifications, fanOuts, fanOutParts } = tables;
  const withoutDeletedOf = prepareWithoutDeleted(tables);
  const find = statement<PageRow>(
    "find_page",
    `SELECT b.pk, (SELECT f.pk FROM ${fanOuts} f WHERE f.notification_pk = b.notification_pk AND f.drop_at IS NULL), b.page_cursor
    FROM ${broadcasts} b WHERE b.notification_pk = (SELECT pk FROM ${notifications} WHERE tenant = $1 AND id = $2)
      AND b.page_cursor IS NOT NULL FOR UPDATE`,
  );
  const add = statement<[]>("add_page", `INSERT INTO ${fanOutParts} (fan_out_pk, place, recipients) VALUES ($1, $2, $3)`);
  const move = statement<[]>("move_page", `UPDATE ${broadcasts} SET page_cursor = $2 WHERE pk = $1`);
  // Nobody is left to be found, so that the last part may end the fan-out.
  const end = statement<[]>("end_pages", `DELETE FROM ${fanOutParts} WHERE fan_out_pk = $1 AND place = ${PLACE_OF_OTHERS}`);
  const addParts = async (session: Session, fanOutPk: number, parts: Iterable<ListPart>): Promise<void> => {
    for (const { place, recipients } of parts) {
      await session.rows(add, [fanOutPk, place, recipients]);
    }
  };
  return (broadcast: PagedBroadcast, read: BroadcastPage | null) =>
    async (session: Session): Promise<void> => {
      const [found] = await session.rows(find, [broadcast.tenant, broadcast.id]);
      if (found?.[2] !== broadcast.mark) {
        return;
      }
      const [pk, fanOutPk] = found;
      const page = await withoutDeletedOf(session, pk, read);
      // Without a fan-out, it has expired.
      const next = fanOutPk === null ? null : placeAfter(broadcast, page);
      await addParts(session, fanOutPk ?? 0, fanOutPk === null ? [] : partsOfPage(broadcast, page));
      if (next === null) {
        await session.rows(end, [fanOutPk]);
      }
      await session.rows(move, [pk, next]);
    };
}

/** Leaves out users who were deleted since a broadcast went out, whose row the transaction holds. */
function prepareWithoutDeleted(tables: TableNames) {
  const texts = deletedSince(tables);
  const keysOf = statement<[key: string]>("keys_of_deleted", texts.keys);
  const goneOf = statement<[hash: string]>("deleted_in_page", texts.gone("d.hash = ANY ($2::text[])"));
  return async (session: Session, pk: number, page: BroadcastPage | null): Promise<BroadcastPage | null> => {
    const users = page?.users ?? [];
    const keys = (await session.rows(keysOf, [pk])).map(([key]) => key);
    const byHash = usersByHash(users, keys);
    const gone = keys.length === 0 ? [] : await session.rows(goneOf, [pk, [...byHash.keys()]]);
    return page && withoutDeleted(page, byHash, new Set(gone.map(([hash]) => hash)));
  };
}
