import type { Pool } from "pg";

/** Runs a SQL text on a database of either kind and returns the rows. */
export type Query = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** Runs queries through a pool. */
export function queryOf(pool: Pool): Query {
  return async (sql) => (await pool.query(sql)).rows;
}

/** An inbox's counters, and the real numbers: last number, items in its table, items in its lists, unread items. */
interface Count {
  readonly user: string;
  readonly counted: readonly number[];
  readonly recounted: readonly number[];
}

/**
 * Counts every inbox of a database anew. It returns the inboxes with wrong counters or with a gap in their numbers; a sound
 * database has none. It does not see items that were deleted for good, or marked unread.
 */
export async function wrongCounts(query: Query): Promise<Count[]> {
  const rows = await query(`
    SELECT c.user_id, c.last_seq AS last, c.total, c.unread, coalesce(max(i.seq), 0) AS real_last, count(i.seq) AS items,
      count(i.seq) FILTER (WHERE i.deleted_at IS NULL AND i.seq > coalesce(c.removed_up_to_seq, 0)) AS real_total,
      count(i.seq) FILTER (WHERE i.deleted_at IS NULL AND i.read_at IS NULL AND i.seq > c.read_up_to_seq) AS real_unread
    FROM belfry_inbox_counters c LEFT JOIN belfry_inbox_items i ON i.tenant = c.tenant AND i.user_id = c.user_id
    GROUP BY c.tenant, c.user_id, c.last_seq, c.total, c.unread, c.read_up_to_seq, c.removed_up_to_seq`);
  const orphans = await query(`
    SELECT user_id, count(*) AS items FROM belfry_inbox_items i
    WHERE NOT EXISTS (SELECT 1 FROM belfry_inbox_counters c WHERE c.tenant = i.tenant AND c.user_id = i.user_id) GROUP BY user_id`);
  const counts = rows.map((row) => ({
    user: String(row.user_id),
    counted: [row.last, row.last, row.total, row.unread].map(Number),
    recounted: [row.real_last, row.items, row.real_total, row.real_unread].map(Number),
  }));
  const wrong = counts.filter(({ counted, recounted }) => counted.join() !== recounted.join());
  return [...wrong, ...orphans.map(({ user_id, items }) => ({ user: String(user_id), counted: [], recounted: [Number(items)] }))];
}
