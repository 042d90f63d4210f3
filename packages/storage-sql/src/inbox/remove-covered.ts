import type { MatchingStep, StepRange, SweepStep } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";

/** Only packages that know this many migrations know `removedUpToSeq`. The number stays as it is as long as the database lets others in. */
export const KNOWS_REMOVED = 51;

/** Whether a step begins to delete everything that is read, and so may delete what a read mark covers without changing it row by row. */
export function isOfAllRead({ mark, places, filter, after, asOf }: MatchingStep): boolean {
  const { isRead, ...others } = filter;
  const isWhole = isRead !== false && Object.values(others).every((condition) => condition === undefined);
  return mark === "deleted_read" && asOf === undefined && after === 0 && isWhole && places.every((place) => place === "active");
}

interface Removed {
  readonly tenant: string;
  readonly userId: string;
  readonly after: number;
  readonly upTo: number;
}

/**
 * Gives items that were deleted by the number of their inbox a `deletedAt` of their own, and takes from them what deleted items do not
 * have. Nobody sees a difference. Inboxes that another transaction holds are left to a later sweep, and those of tenants that move, which
 * would refuse it.
 */
export function settleRemoved(sql: Sql): (range: StepRange) => Promise<SweepStep> {
  const { inboxCounters, inboxItems } = sql.tables;
  const own = "tenant = $1 AND user_id = $2";
  const find = `SELECT c.tenant, c.user_id AS "userId", c.removed_up_to_seq AS "upTo", coalesce(c.removed_after_seq, 0) AS "after"
    FROM ${inboxCounters} c WHERE c.removed_at IS NOT NULL AND ${sql.isStaying("c.tenant")} ORDER BY c.removed_at LIMIT 1 ${sql.skipLocked("c")}`;
  const some = `SELECT max(seq) AS last FROM (
      SELECT seq FROM ${inboxItems} WHERE ${own} AND seq > $3 AND seq <= $4 ORDER BY seq LIMIT $5
    ) s`;
  const isSame = `${own} AND removed_at IS NOT NULL AND coalesce(removed_after_seq, 0) = $3 AND removed_up_to_seq = $4`;
  const end = `UPDATE ${inboxCounters} SET removed_at = NULL, removed_after_seq = NULL WHERE ${isSame}`;
  // The counters come first, as in every change of an inbox. Whoever was faster has moved them on, and then nothing is left to do.
  const moveOn = `UPDATE ${inboxCounters} SET removed_after_seq = $5 WHERE ${isSame}`;
  const isMoved = `FROM ${inboxCounters} WHERE ${own} AND removed_after_seq = $5 AND removed_up_to_seq = $4`;
  const settle = `UPDATE ${inboxItems} SET deleted_at = (SELECT removed_at ${isMoved}), replace_key = NULL, expires_at = NULL
    WHERE ${own} AND seq > $3 AND seq <= $5 AND deleted_at IS NULL AND EXISTS (SELECT 1 ${isMoved} AND removed_at IS NOT NULL)`;
  return async ({ limit }) => {
    const [inbox] = await sql.rows<Removed>("find_removed", find, []);
    if (inbox === undefined) {
      return { removed: 0, next: null };
    }
    const { tenant, userId, after, upTo } = inbox;
    const [row] = await sql.rows<{ readonly last: number | null }>("last_removed", some, [tenant, userId, after, upTo, limit]);
    const last = row?.last ?? null;
    if (last === null) {
      await sql.inStep("end_removed", [end], [tenant, userId, after, upTo]);
    } else {
      await sql.inStep("settle_removed", [moveOn, settle], [tenant, userId, after, upTo, last]);
    }
    return { removed: 0, next: JSON.stringify([tenant, userId]) };
  };
}
