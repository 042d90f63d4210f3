import type { HubStorage } from "@belfry/core/storage";
import { type Sql, sharedHub } from "@belfry/storage-sql";
import { bind, type Current, write, writeTogether } from "../database/bind.ts";
import { namedLeases } from "../database/leases.ts";
import { prepareWriteEvents } from "./events.ts";
import { prepareEndRecords, RECORD_LEASES } from "./records.ts";

/** The hub in SQLite. */
export function sqliteHub(current: Current, sql: Sql): HubStorage {
  return {
    ...sharedHub(sql),
    ...bind(current, { createEvents: write(prepareWriteEvents), endRecords: writeTogether(prepareEndRecords) }),
    leases: namedLeases(current, RECORD_LEASES),
  };
}
