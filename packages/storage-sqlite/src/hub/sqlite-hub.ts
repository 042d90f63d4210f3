import type { HubStorage } from "@belfry/core/storage";
import { type Sql, sharedHub } from "@belfry/storage-sql";
import { bind, write } from "../database/bind.ts";
import type { Connection } from "../database/connection.ts";
import { leases } from "../database/leases.ts";
import { prepareWriteEvents } from "./events.ts";
import { prepareEndRecords, RECORD_LEASES } from "./records.ts";

/**
 * The hub in SQLite.
 *
 * @param current what is open at this moment; throws if nothing is
 */
export function sqliteHub(current: () => { readonly connection: Connection }, sql: Sql): HubStorage {
  return {
    ...sharedHub(sql),
    ...bind(current, { createEvents: write(prepareWriteEvents), endRecords: write(prepareEndRecords) }),
    leases: leases(current, RECORD_LEASES),
  };
}
