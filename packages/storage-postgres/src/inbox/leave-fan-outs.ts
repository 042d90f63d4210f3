import type { Owner } from "@belfry/core";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { adoptChunkText } from "./fan-outs.ts";
import { LOCK_TIMEOUT_MS, lockGuard } from "./inbox-state.ts";

/** Removes a user, or an address, from the lists that still name them, and answers how many parts did. */
export function prepareLeaveFanOuts(tables: TableNames) {
  const adopt = statement<[one: number]>("adopt_chunk", adoptChunkText(tables));
  const leave = statement<[one: number]>("leave_fan_outs", leaveFanOutsText(tables));
  return async (session: Session, { tenant, userId }: Owner, limit: number): Promise<number> => {
    for (let adopted = 1; adopted > 0; ) {
      adopted = (await session.rows(adopt, [])).length;
    }
    return (await session.rows(leave, [tenant, userId, limit, LOCK_TIMEOUT_MS])).length;
  };
}

/**
 * $1 tenant, $2 user, $3 how many parts, $4 the lock timeout. What is left of a part gets a key of its own, so that whoever is at
 * work on the part does not write it.
 */
function leaveFanOutsText({ fanOuts, fanOutParts }: TableNames): string {
  return `WITH ${lockGuard("$4")},
  naming AS MATERIALIZED (
    SELECT chunk.* FROM guard CROSS JOIN LATERAL (
      SELECT p.pk, p.fan_out_pk, p.channel, p.place, p.topic, p.channels, array_remove(p.recipients, $2::text) AS others
      FROM ${fanOuts} f JOIN ${fanOutParts} p ON p.fan_out_pk = f.pk
      WHERE guard.lock_timeout IS NOT NULL AND f.tenant = $1 AND $2::text = ANY (p.recipients)
      ORDER BY p.pk LIMIT $3 FOR UPDATE OF p
    ) chunk
  ),
  forgotten AS (DELETE FROM ${fanOutParts} p USING naming WHERE p.pk = naming.pk),
  kept AS (
    INSERT INTO ${fanOutParts} (fan_out_pk, channel, place, recipients, topic, channels)
    SELECT fan_out_pk, channel, place, others, topic, channels FROM naming WHERE cardinality(others) > 0 ORDER BY pk
  )
  SELECT 1 FROM naming`;
}
