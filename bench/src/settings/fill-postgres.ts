import type pg from "pg";
import { dataOf, MESSAGE, SPREAD_MS, TITLE } from "./content.ts";
import type { Filling } from "./fill-sqlite.ts";

/** A UUIDv7 of a time, as SQL. */
const UUID_V7 = `(lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || 'a' || substr(md5(random()::text), 1, 15))::uuid`;

/** Fills Belfry's tables in a schema: users in random order, spread over time, as they would be after months. */
export async function fillPostgres(pool: pg.Pool, schema: string, filling: Filling): Promise<void> {
  const { items, users, hotShare = 0, readShare = 0.3, type = null, isEven = false } = filling;
  const client = await pool.connect();
  try {
    await client.query("SELECT setseed(0.5)");
    // An even share is dealt in random order; else each item goes to a random user.
    const user = isEven ? "1 + n % $2::int" : "1 + floor(random() * $2::int)::int";
    await client.query(
      `CREATE TEMP TABLE picked AS SELECT n, CASE WHEN random() < $3 THEN 1 ELSE ${user} END AS user_number,
        random() < $4 AS is_read, now() - (($1::bigint - n) * $5::float8 / $1::bigint) * interval '1 millisecond' AS at
      FROM generate_series(1, $1::bigint) AS n`,
      [items, users.length, hotShare, readShare, SPREAD_MS],
    );
    await client.query(
      `WITH inserted AS (
        INSERT INTO ${schema}.belfry_notifications (tenant, id, kind, type, title, message, data, created_at)
        SELECT 'default', ${UUID_V7}, 'message', coalesce($1, (ARRAY['order_update', 'comment', 'mention', 'invoice'])[1 + n % 4]), $2, $3, $4::json, at
        FROM picked ORDER BY n RETURNING pk, type, created_at),
      numbered AS (SELECT *, row_number() OVER (ORDER BY pk) AS n FROM inserted)
      INSERT INTO ${schema}.belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at, read_at)
      SELECT 'default', u.id, row_number() OVER (PARTITION BY p.user_number ORDER BY n), i.pk, i.type, i.created_at,
        CASE WHEN p.is_read THEN i.created_at + interval '1 minute' END
      FROM numbered i JOIN picked p USING (n) JOIN unnest($5::text[]) WITH ORDINALITY AS u(id, number) ON u.number = p.user_number`,
      [type, TITLE, MESSAGE, JSON.stringify(dataOf(7)), users],
    );
    await client.query(
      `INSERT INTO ${schema}.belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, began_after, epoch)
      SELECT tenant, user_id, max(seq), count(*), count(*) FILTER (WHERE read_at IS NULL), 0, 0, left(replace(gen_random_uuid()::text, '-', ''), 12)
      FROM ${schema}.belfry_inbox_items GROUP BY tenant, user_id ON CONFLICT DO NOTHING`,
    );
    await client.query("DROP TABLE picked");
    const filled = ["notifications", "inbox_items", "inbox_counters"];
    await settle(
      client,
      filled.map((table) => `${schema}.belfry_${table}`),
    );
  } finally {
    client.release();
  }
}

/**
 * Leaves tables that were filled as autovacuum would, so that it has nothing to do while they are measured. It would not analyse tables
 * without rows, nor must this: PostgreSQL would keep plans for empty ones, and go on reading whole tables that have grown since.
 */
export async function settle(on: Pick<pg.ClientBase, "query">, tables: readonly string[]): Promise<void> {
  await on.query(`VACUUM (ANALYZE) ${tables.join(", ")}`);
  await on.query("CHECKPOINT");
}

/** The table of an application without a library. */
export async function fillUsualPostgres(pool: pg.Pool, table: string, { items, users }: Filling): Promise<void> {
  await pool.query(`CREATE TABLE ${table} (id uuid PRIMARY KEY, user_id text NOT NULL, type text NOT NULL, title text NOT NULL,
    message text NOT NULL, data jsonb NOT NULL, is_read boolean NOT NULL DEFAULT false, read_at timestamptz, created_at timestamptz NOT NULL)`);
  // An element of a long array of texts is found by going through those before it, so users are joined by their places.
  await pool.query(
    `INSERT INTO ${table} SELECT gen_random_uuid(), u.id, 'comment', $3, $4, $5::jsonb,
      random() < 0.3, NULL, now() - (($1::bigint - n) * $6::float8 / $1::bigint) * interval '1 millisecond'
      FROM (SELECT n, 1 + floor(random() * cardinality($2::text[]))::int AS number FROM generate_series(1, $1::bigint) AS n) AS picked
      JOIN unnest($2::text[]) WITH ORDINALITY AS u(id, number) USING (number) ORDER BY n`,
    [items, users, TITLE, MESSAGE, JSON.stringify(dataOf(7)), SPREAD_MS],
  );
  await pool.query(`CREATE INDEX ON ${table} (user_id, created_at)`);
  await pool.query(`CREATE INDEX ON ${table} (user_id, is_read)`);
  await settle(pool, [table]);
}
