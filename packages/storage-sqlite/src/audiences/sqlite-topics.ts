import type { TopicsStorage } from "@belfry/core/storage";
import { type Sql, sharedTopics } from "@belfry/storage-sql";
import type { Current } from "../database/bind.ts";
import { PART_DELIVERIES } from "../delivery/write-sends.ts";
import { writeMembers } from "./write-members.ts";

/** Topics in SQLite. */
export function sqliteTopics(current: Current, sql: Sql): TopicsStorage {
  return {
    ...sharedTopics(sql, { partDeliveries: PART_DELIVERIES, partsOfStep: 5 }),
    writeMembers: (audience, turn) => writeMembers(current().connection, { sql, audience, turn }),
  };
}
