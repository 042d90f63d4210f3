import type { HubStorage } from "@belfry/core/storage";
import { type Sql, sharedHub } from "@belfry/storage-sql";
import { type Bound, bind, run } from "../database/bind.ts";
import { namedLeases } from "../database/leases.ts";
import { prepareWriteEvents } from "./events.ts";
import { prepareEndRecords, RECORD_LEASES } from "./records.ts";

/** The hub in PostgreSQL. */
export function postgresHub(bound: Bound, sql: Sql): HubStorage {
  return {
    ...sharedHub(sql),
    ...bind(bound, { createEvents: run(prepareWriteEvents), endRecords: run(prepareEndRecords) }),
    leases: namedLeases(bound, RECORD_LEASES),
  };
}
