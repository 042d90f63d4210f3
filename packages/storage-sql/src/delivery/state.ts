import { BY_OPERATOR } from "@belfry/core/storage";
import type { Tables } from "../database/sql.ts";

/**
 * The state of a delivery by the rules of core's `standingOf`, in SQL. Endpoints that rest are looked up by key, in a subquery that the
 * planner cannot turn into a join.
 *
 * @param alias the delivery's @param now a time of the database
 */
export function stateOf(alias: string, now: string, { circuits }: Pick<Tables, "circuits">): string {
  const d = (column: string) => `${alias}.${column}`;
  const isDue = `coalesce(${d("due_at")} <= ${now}, false)`;
  const isResting = `coalesce((SELECT c.open_until FROM ${circuits} c
    WHERE c.channel = ${d("channel")} AND c.recipient = ${d("recipient")}) > ${now}, false)`;
  return `CASE
    WHEN ${d("status")} = 'waiting' THEN 'scheduled'
    WHEN ${d("status")} <> 'pending' THEN ${d("status")}
    WHEN ${d("lease_owner")} IS NOT NULL THEN 'running'
    WHEN (${d("reason_source")} = '${BY_OPERATOR}' OR ${d("reason")} = 'quiet_hours') AND NOT ${isDue} THEN 'held'
    WHEN ${isDue} AND ${isResting} THEN 'held'
    WHEN ${d("attempt")} > ${d("attempts_before")} THEN 'retrying'
    WHEN ${isDue} THEN 'due'
    ELSE 'scheduled' END`;
}
