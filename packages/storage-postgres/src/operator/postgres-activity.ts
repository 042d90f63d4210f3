import type { ActivityStorage } from "@belfry/core/storage";
import {
  auditLog,
  broadcastOf,
  channelHealth,
  deliveryLists,
  failingDeliveries,
  findActivity,
  findingDeletions,
  type Sql,
  topicsOf,
  workHealthReads,
} from "@belfry/storage-sql";
import { type Bound, bind, inTransaction, run } from "../database/bind.ts";
import { prepareNote } from "../delivery/change-send.ts";
import { prepareDeleteNotification } from "./delete.ts";
import { prepareCountWaiting } from "./health.ts";
import { prepareItemsOf } from "./items.ts";
import { activitySearch } from "./search.ts";

/** An operator's questions to PostgreSQL: one or two statements each, each on its own connection. A delete is a transaction. */
export function postgresActivity(bound: Bound, sql: Sql): ActivityStorage {
  return {
    ...auditLog(sql),
    ...deliveryLists(sql),
    ...topicsOf(sql),
    ...workHealthReads(sql),
    ...broadcastOf(sql),
    ...findingDeletions(sql),
    ...failingDeliveries(sql),
    ...activitySearch(sql),
    ...channelHealth(sql, run(prepareCountWaiting)(bound)),
    find: findActivity(sql),
    ...bind(bound, {
      itemsOf: run(prepareItemsOf),
      note: run(prepareNote),
      deleteNotification: inTransaction(prepareDeleteNotification),
    }),
  };
}
