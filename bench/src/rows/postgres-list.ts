import type { BenchRow, Comparison } from "../measure.ts";
import { PostgresSetting } from "./postgres-setting.ts";

const SIZES = [10, 10_000, 1_000_000];
const PAGE = 20;

export const postgresListSizes: BenchRow = {
  id: "3d",
  what: "PostgreSQL list of 20 across inboxes of 10, 10,000 and 1,000,000 items",
  open: compare,
};

async function compare(): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const { service, pool } = await setting.belfry("belfry", 1);
  for (const size of SIZES) {
    await fill(pool, size);
  }
  await pool.query("ANALYZE");
  const read = new Map<number, number>();
  const [small = 0, ...larger] = SIZES;
  const contender = (size: number) => ({
    name: `${size} items`,
    async run(count: number) {
      for (let index = 0; index < count; index += 1) {
        read.set(size, (await service.inbox(`user_${size}`).list({ limit: PAGE })).items.length);
      }
    },
  });
  return {
    knobs: await setting.knobs(),
    // The slowest may take twice as long as the fastest. The smallest inbox has only half a page.
    goals: larger.map((size) => ({ against: `${size} items`, atLeast: 0.5 })),
    contenders: [contender(small), ...larger.map(contender)],
    async check() {
      for (const size of SIZES) {
        if (read.get(size) !== Math.min(size, PAGE)) {
          throw new Error(`The inbox of ${size} items gave ${read.get(size)}.`);
        }
      }
    },
    close: () => setting.close(),
  };
}

async function fill(pool: Awaited<ReturnType<PostgresSetting["belfry"]>>["pool"], size: number): Promise<void> {
  await pool.query(
    `WITH n AS (
      INSERT INTO belfry.belfry_notifications (tenant, id, kind, type, title, message, data, created_at)
      SELECT 'default', gen_random_uuid(), 'message', 'x', 'Order shipped', 'It is on its way.', '{}', now() FROM generate_series(1, $1) RETURNING pk)
    INSERT INTO belfry.belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)
    SELECT 'default', 'user_' || $1, row_number() OVER (), n.pk, 'x', now() FROM n`,
    [size],
  );
  await pool.query(
    `INSERT INTO belfry.belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch)
    VALUES ('default', 'user_' || $1::int, $1::int, $1::int, $1::int, 0, 'e')`,
    [size],
  );
}
