import type { HubStorage } from "@belfry/core/storage";
import { type Sql, sharedHub } from "@belfry/storage-sql";
import { bind, type Current, write, writeTogether } from "../database/bind.ts";
import { leases } from "../database/leases.ts";
import { prepareWriteEvents } from "./events.ts";
import { prepareEndRecords, RECORD_LEASES } from "./records.ts";

/** The hub in SQLite. */
export function sqliteHub(current: Current, sql: Sql): HubStorage {
  return {
    ...sharedHub(sql),
    ...bind(current, { createEvents: write(prepareWriteEvents), endRecords: writeTogether(prepareEndRecords) }),
    leases: leases(current, RECORD_LEASES),
  };
}
