import type { ActivityItems, ActivityStorage, StoredSummary } from "@belfry/core/storage";
import {
  auditLog,
  broadcastOf,
  channelHealth,
  deliveryLists,
  failingDeliveries,
  findActivity,
  findingDeletions,
  lookingUp,
  type Sql,
  type SqlSearch,
  type SummaryRow,
  summaryColumns,
  topicsOf,
  toSummary,
  workHealthReads,
} from "@belfry/storage-sql";
import { bind, type Current, part, write } from "../database/bind.ts";
import { type Connection, turn } from "../database/connection.ts";
import { ask, DIALECT, TABLES } from "../database/sql.ts";
import { prepareWriteAudit } from "../delivery/change-send.ts";
import { prepareDeleteNotification } from "./delete.ts";
import { countingWaiting } from "./health.ts";
import { type ItemCounts, prepareCountItems, prepareItemsOf } from "./items.ts";
import { ActivitySearch } from "./search.ts";

/** How many summaries one step reads, and how many items. */
const SUMMARIES_STEP = 50;
const ITEMS_STEP = 5_000;

const SUMMARY = `SELECT ${summaryColumns(DIALECT, TABLES)}
  FROM belfry_notifications n LEFT JOIN belfry_trackings t ON t.notification_pk = n.pk LEFT JOIN belfry_sends s ON s.notification_pk = n.pk
  WHERE n.pk = $1`;

/**
 * An operator's questions to SQLite. An answer may have to look at a great many rows, and SQLite works in the host's
 * own thread, so answers are made in short steps. A change between two steps may be in the answer or not.
 */
export function sqliteActivity(current: Current, sql: Sql): ActivityStorage {
  return {
    ...bind(current, {
      note: write(prepareWriteAudit),
      deleteNotification: part(prepareDeleteNotification),
    }),
    ...auditLog(sql),
    ...deliveryLists(sql),
    ...topicsOf(sql),
    ...workHealthReads(sql),
    ...broadcastOf(sql),
    ...findingDeletions(sql),
    ...failingDeliveries(sql),
    ...channelHealth(
      sql,
      countingWaiting(() => current().connection),
    ),
    find: findActivity(sql),
    ...lookingUp(sql, {
      search: async (tenant, wanted) => search(current().connection, tenant, wanted),
      count: async (tenant, filter, max) => new ActivitySearch(current().connection, tenant, { filter }).count(max),
    }),
    itemsOf: async (tenant, id, limit) => itemsOf(current().connection, { tenant, id }, limit),
  };
}

async function search(
  connection: Connection,
  tenant: string,
  { after, limit, ...filter }: Parameters<SqlSearch["search"]>[1],
): Promise<readonly StoredSummary[]> {
  const summaries: StoredSummary[] = [];
  let last = after;
  let isOver = false;
  // Searches again if a result was deleted before it was read: a short page would mean that no other follows.
  while (!isOver && summaries.length < limit) {
    const wanted = limit - summaries.length;
    const newest = await new ActivitySearch(connection, tenant, { filter, after: last }).newest(wanted);
    const keys = newest.map(({ pk }) => pk);
    summaries.push(...(await readSummaries(connection, keys)));
    last = newest.at(-1)?.id;
    isOver = newest.length < wanted;
  }
  return summaries;
}

/** Summaries of those that still exist. */
async function readSummaries(connection: Connection, pks: readonly number[]): Promise<readonly StoredSummary[]> {
  const summaries: StoredSummary[] = [];
  for (let start = 0; start < pks.length; start += SUMMARIES_STEP) {
    const step = pks.slice(start, start + SUMMARIES_STEP);
    const rows = await connection.read(() => step.flatMap((pk) => ask<SummaryRow>(connection, SUMMARY, [pk])));
    summaries.push(...rows.map(toSummary));
    await turn();
  }
  return summaries;
}

async function itemsOf(
  connection: Connection,
  name: { readonly tenant: string; readonly id: string },
  limit: number,
): Promise<ActivityItems> {
  const items = await connection.read(() => connection.prepared(prepareItemsOf)(name.tenant, name.id, limit));
  let [total, read] = [0, 0];
  for (let after: string | null = ""; after !== null; ) {
    const start: string = after;
    const part: ItemCounts = await connection.query(() => connection.prepared(prepareCountItems)(name, start, ITEMS_STEP));
    total += part.total;
    read += part.read;
    after = part.lastUser;
    await turn();
  }
  return { items, total, read };
}
