import type { Pool } from "pg";

/** An inbox's counters, and the real numbers. */
interface Count {
  readonly user: string;
  readonly counted: readonly number[];
  readonly recounted: readonly number[];
}

/**
 * Counts every inbox of a PostgreSQL database anew. It returns the inboxes with wrong counters or with a gap in their
 * numbers; a sound database has none. It does not see items that were deleted for good.
 */
export async function wrongCounts(pool: Pool): Promise<Count[]> {
  const { rows } = await pool.query<Count>(`
    SELECT c.user_id AS user, ARRAY[c.last_seq, c.last_seq, c.total, c.unread]::int[] AS counted,
      ARRAY[coalesce(max(i.seq), 0), count(i.seq), count(i.seq) FILTER (WHERE i.deleted_at IS NULL),
        count(i.seq) FILTER (WHERE i.deleted_at IS NULL AND i.read_at IS NULL AND i.seq > c.read_up_to_seq)]::int[] AS recounted
    FROM belfry_inbox_counters c LEFT JOIN belfry_inbox_items i ON i.tenant = c.tenant AND i.user_id = c.user_id
    GROUP BY c.tenant, c.user_id`);
  const orphans = await pool.query<Count>(`
    SELECT user_id AS user, ARRAY[]::int[] AS counted, ARRAY[count(*)]::int[] AS recounted FROM belfry_inbox_items i
    WHERE NOT EXISTS (SELECT FROM belfry_inbox_counters c WHERE c.tenant = i.tenant AND c.user_id = i.user_id) GROUP BY user_id`);
  return [...rows.filter(({ counted, recounted }) => counted.join() !== recounted.join()), ...orphans.rows];
}
