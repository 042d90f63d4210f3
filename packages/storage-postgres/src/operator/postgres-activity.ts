import type { ActivityStorage } from "@belfry/core/storage";
import { auditLog, findActivity, type Sql } from "@belfry/storage-sql";
import { type Bound, bind, run } from "../database/bind.ts";
import { prepareNote } from "../delivery/change-send.ts";
import { prepareDeleteNotification } from "./delete.ts";
import { prepareHealth } from "./health.ts";
import { prepareItemsOf } from "./items.ts";
import { activitySearch } from "./search.ts";

/** An operator's questions to PostgreSQL. Each is one or two statements, each on its own connection. */
export function postgresActivity(bound: Bound, sql: Sql): ActivityStorage {
  return {
    ...auditLog(sql),
    ...activitySearch(sql),
    find: findActivity(sql),
    ...bind(bound, {
      itemsOf: run(prepareItemsOf),
      note: run(prepareNote),
      deleteNotification: run(prepareDeleteNotification),
      health: run(prepareHealth),
    }),
  };
}
