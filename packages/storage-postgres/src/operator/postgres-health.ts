import type { HealthStorage } from "@belfry/core/storage";
import { backlogSamples, FOLDED, FOLDED_LOST, heartbeats, isOfLost, type Sql } from "@belfry/storage-sql";
import { type Bound, bind, run } from "../database/bind.ts";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { beginOf } from "../delivery/attempt-sums.ts";
import { prepareCountAllWaiting } from "./health.ts";

const HALF_HOUR_SECONDS = 30 * 60;
/** How many sums one step works on. */
const STEP = 5_000;

/** The figures of health over time in PostgreSQL. */
export function postgresHealth(bound: Bound, sql: Sql): HealthStorage {
  return {
    ...bind(bound, { foldAttempts: run(prepareFold), pruneAttempts: run(preparePrune) }),
    ...backlogSamples(sql, run(prepareCountAllWaiting)(bound)),
    ...heartbeats(sql),
  };
}

/** In one statement: an attempt that is added to a sum meanwhile is in what the delete returns, or stays for the next step. */
function prepareFold({ attemptSums }: TableNames) {
  const fold = statement<[count: number]>(
    "fold_attempts",
    `WITH old AS (${removing(attemptSums, "minute < $1::timestamptz AND writer >= 0")}),
    folded AS (
      INSERT INTO ${attemptSums} AS s (tenant, minute, channel, latency_ms, writer, attempts)
      SELECT tenant, ${beginOf("minute", HALF_HOUR_SECONDS)}, channel, latency_ms,
        CASE WHEN ${isOfLost("writer")} THEN ${FOLDED_LOST} ELSE ${FOLDED} END, sum(attempts)
      FROM old GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
      ON CONFLICT (tenant, minute, channel, latency_ms, writer) DO UPDATE SET attempts = s.attempts + excluded.attempts
    )
    SELECT count(*) FROM old`,
  );
  return (before: Date) => async (session: Session) => isWhole(await session.rows(fold, [before.toISOString()]));
}

function preparePrune({ attemptSums }: TableNames) {
  const prune = statement<[count: number]>(
    "prune_attempts",
    `WITH old AS (${removing(attemptSums, "minute < $1::timestamptz")}) SELECT count(*) FROM old`,
  );
  return (before: Date) => async (session: Session) => isWhole(await session.rows(prune, [before.toISOString()]));
}

/** Removes the oldest sums that meet a condition, but for those that another transaction holds. */
function removing(attemptSums: string, condition: string): string {
  return `DELETE FROM ${attemptSums} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${attemptSums} WHERE ${condition} ORDER BY minute LIMIT ${STEP} FOR UPDATE SKIP LOCKED)) RETURNING *`;
}

function isWhole([row]: readonly (readonly [count: number])[]): boolean {
  return row?.[0] === STEP;
}
