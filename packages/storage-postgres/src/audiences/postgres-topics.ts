import type { TopicsStorage } from "@belfry/core/storage";
import { type Sql, sharedTopics } from "@belfry/storage-sql";
import { type Bound, bind, run } from "../database/bind.ts";
import { PART_DELIVERIES } from "../delivery/write-sends.ts";
import { prepareWriteMembers } from "./write-members.ts";

/** Topics in PostgreSQL. */
export function postgresTopics(bound: Bound, sql: Sql): TopicsStorage {
  return {
    ...sharedTopics(sql, { partDeliveries: PART_DELIVERIES, partsOfStep: 1 }),
    ...bind(bound, { writeMembers: run((tables) => prepareWriteMembers(tables, sql)) }),
  };
}
