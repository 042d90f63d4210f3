import { StepSize, type TopicsStorage } from "@belfry/core/storage";
import { type Sql, sharedTopics } from "@belfry/storage-sql";
import type { Current } from "../database/bind.ts";
import { PART_DELIVERIES } from "../delivery/write-sends.ts";
import { writeMembers } from "./write-members.ts";

/** How many users a step looks at that writes their items. In a large database each may touch pages of its own. */
const STEP = { fewest: 100, most: 1_000, wantedMs: 9 };

/** Topics in SQLite. */
export function sqliteTopics(current: Current, sql: Sql): TopicsStorage {
  const size = new StepSize(STEP, () => performance.now());
  return {
    ...sharedTopics(sql, { partDeliveries: PART_DELIVERIES, partsOfStep: 5 }),
    writeMembers: (audience, turn) =>
      size.step((limit) => writeMembers(current().connection, { sql, audience, turn, limit: Math.min(limit, audience.source.chunk) })),
  };
}
