import type { Owner } from "@belfry/core";
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
  PLACE_OF_OTHERS,
  partsOfPage,
  placeAfter,
  type Sql,
  sharedBroadcasts,
  usersByHash,
  withoutDeleted,
} from "@belfry/storage-sql";
import type { HostTransactions } from "../creating/host-transactions.ts";
import { bind, type Current, write, writeIf, writeIfFree } from "../database/bind.ts";
import type { SqliteTransaction } from "../database/host-database.ts";
import { DIALECT, TABLES } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";
import { OWN } from "../inbox/conditions.ts";
import { prepareWriteList } from "../inbox/fan-outs.ts";
import { newestBroadcast } from "../inbox/inbox-state.ts";
import { NOTIFICATION_FIELDS } from "../inbox/item-row.ts";
import { COUNTERS, prepareSettleItems, prepareWriteMany } from "../inbox/write-items.ts";
import { prepareWriteBroadcast } from "./write-broadcast.ts";

/** Broadcasts in SQLite. */
export function sqliteBroadcasts(
  current: Current<{ readonly hostTransactions: HostTransactions }>,
  sql: Sql,
): BroadcastStorage<SqliteTransaction, void> {
  return {
    ...sharedBroadcasts(sql),
    ...bind(current, {
      create: write((context) => {
        const writeBroadcast = prepareWriteBroadcast(context);
        return (broadcast: NewBroadcast): void => {
          writeBroadcast(broadcast);
        };
      }),
      begin: writeIfFree(prepareBegin),
      beginAll: writeIf(prepareHasMore, prepareBeginAll, undefined),
      place: writeIfFree(preparePlace),
      addPage: write(prepareAddPage),
    }),
    createWithin: (tx, broadcast, onCommit) => current().hostTransactions.writeBroadcast(tx, broadcast, onCommit),
  };
}

function prepareBegin({ prepare }: QueryContext) {
  const insert = prepare<Owner>(`
    ${COUNTERS} VALUES (:tenant, :userId, 0, 0, 0, 0, ${DIALECT.newEpoch}, ${newestBroadcast(":tenant")}) ON CONFLICT DO NOTHING`);
  return (owner: Owner): void => {
    insert.run(owner);
  };
}

/** Whether one of these inboxes has not begun. */
function prepareHasMore({ prepareRows }: QueryContext) {
  const find = prepareRows<{ readonly tenant: string; readonly users: string }, readonly [one: number]>(`
    SELECT 1 FROM json_each(:users) e WHERE NOT EXISTS (
      SELECT 1 FROM belfry_inbox_counters WHERE tenant = (SELECT :tenant) AND user_id = e.value) LIMIT 1`);
  return (tenant: string, userIds: readonly string[]): boolean => find.get({ tenant, users: JSON.stringify(userIds) }) !== undefined;
}

function prepareBeginAll(context: QueryContext) {
  const begin = prepareBegin(context);
  return (tenant: string, userIds: readonly string[]): void => {
    for (const userId of userIds) {
      begin({ tenant, userId });
    }
  };
}

/** Places broadcasts in an inbox. */
function preparePlace(context: QueryContext) {
  const { prepare, prepareRows } = context;
  const writeItems = prepareWriteMany(context);
  const settle = prepareSettleItems(context);
  const move = prepare<Owner & Omit<BroadcastsToPlace, "numbers" | "at">>(`
    UPDATE belfry_inbox_counters SET placed_up_to = :upTo, began_after = :beganAfter WHERE ${OWN} AND placed_up_to IS :placedUpTo`);
  const find = prepare<
    { readonly tenant: string; readonly numbers: string; readonly at: Date },
    { readonly number: number; readonly notificationPk: number; readonly sentAt: number }
  >(`
    SELECT b.number, b.at AS "sentAt", n.pk AS "notificationPk", ${NOTIFICATION_FIELDS.columns("n")}
    FROM json_each(:numbers) AS chosen CROSS JOIN belfry_broadcasts b ON b.tenant = (SELECT :tenant) AND b.number = chosen.value
    CROSS JOIN belfry_notifications n ON n.pk = b.notification_pk
    WHERE n.expired_at IS NULL AND (n.expires_at IS NULL OR n.expires_at > :at) ORDER BY b.number`);
  const epoch = prepareRows<Owner, readonly [epoch: string]>(`SELECT epoch FROM belfry_inbox_counters WHERE ${OWN}`);
  return (owner: Owner, { numbers, at, ...moved }: BroadcastsToPlace): readonly PlacedBroadcast[] | null => {
    if (epoch.get(owner) === undefined || move.run({ ...owner, ...moved }).changes === 0) {
      return null;
    }
    const { tenant, userId } = owner;
    return find.all({ tenant, numbers: JSON.stringify(numbers), at }).flatMap((row): readonly PlacedBroadcast[] => {
      const { type, category, expiresAt, group, replaceKey, actor } = NOTIFICATION_FIELDS.record(row);
      const items = { tenant, notificationPk: row.notificationPk, type, category, expiresAt, group, replaceKey, actor };
      const created = writeItems({ ...items, createdAt: new Date(row.sentAt) }, [userId]);
      // Dated by the broadcast; what it changes beside itself is changed now.
      const [item] = isGrouped(items) ? settle({ ...items, createdAt: at }, created) : created;
      return item === undefined ? [] : [{ number: row.number, item }];
    });
  };
}

/** Adds a page of the host's users to the list of a broadcast's fan-out. */
function prepareAddPage(context: QueryContext) {
  const { prepare } = context;
  const writeList = prepareWriteList(context);
  const find = prepare<
    Pick<PagedBroadcast, "tenant" | "id">,
    { readonly pk: number; readonly fanOutPk: number | null; readonly pageCursor: string }
  >(`
    SELECT b.pk, f.pk AS "fanOutPk", b.page_cursor AS "pageCursor" FROM belfry_notifications n CROSS JOIN belfry_broadcasts b ON b.notification_pk = n.pk
    LEFT JOIN belfry_fan_outs f ON f.notification_pk = n.pk AND f.drop_at IS NULL
    WHERE n.tenant = :tenant AND n.id = :id AND b.page_cursor IS NOT NULL`);
  const move = prepare<{ readonly pk: number; readonly next: string | null }>(
    "UPDATE belfry_broadcasts SET page_cursor = :next WHERE pk = :pk",
  );
  // Nobody is left to be found, so that the last part may end the fan-out.
  const end = prepare<{ readonly fanOutPk: number }>(
    `DELETE FROM belfry_fan_out_parts WHERE fan_out_pk = :fanOutPk AND place = ${PLACE_OF_OTHERS}`,
  );
  const withoutDeletedOf = prepareWithoutDeleted(context);
  return (broadcast: PagedBroadcast, read: BroadcastPage | null): void => {
    const { tenant, id, mark } = broadcast;
    const found = find.get({ tenant, id });
    if (found === undefined || found.pageCursor !== mark) {
      return;
    }
    const { pk, fanOutPk } = found;
    const page = withoutDeletedOf(pk, read);
    // Without a fan-out, it has expired.
    const next = fanOutPk === null ? null : placeAfter(broadcast, page);
    if (fanOutPk !== null) {
      writeList.parts(fanOutPk, partsOfPage(broadcast, page));
      if (next === null) {
        end.run({ fanOutPk });
      }
    }
    move.run({ pk, next });
  };
}

/** Leaves out users who were deleted since a broadcast went out. */
function prepareWithoutDeleted({ prepareRows }: QueryContext) {
  const texts = deletedSince(TABLES);
  const keysOf = prepareRows<readonly [pk: number], readonly [key: string]>(texts.keys);
  const goneOf = prepareRows<readonly [pk: number, hashes: string], readonly [hash: string]>(
    texts.gone(DIALECT.isIn("d.hash", "$2", "text")),
  );
  return (pk: number, page: BroadcastPage | null): BroadcastPage | null => {
    const users = page?.users ?? [];
    const keys = keysOf.all([pk]).map(([key]) => key);
    const byHash = usersByHash(users, keys);
    const gone = keys.length === 0 ? [] : goneOf.all([pk, JSON.stringify([...byHash.keys()])]);
    return page && withoutDeleted(page, byHash, new Set(gone.map(([hash]) => hash)));
  };
}
