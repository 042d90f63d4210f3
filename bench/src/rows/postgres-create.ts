import { randomUUID } from "node:crypto";
import type { Pool } from "pg";
import type { BenchRow, Comparison } from "../measure.ts";
import { PostgresSetting } from "./postgres-setting.ts";
import { nextUser } from "./sqlite-setting.ts";

const TOGETHER = 64;

export const postgresCreateOne: BenchRow = {
  id: "1c",
  what: "PostgreSQL create, one by one",
  open: () => compare({ inFlight: 1, goal: 0.9 }),
};

export const postgresCreateTogether: BenchRow = {
  id: "1d",
  what: `PostgreSQL create, ${TOGETHER} in flight, one connection`,
  open: () => compare({ inFlight: TOGETHER, goal: 10 }),
};

/** One statement by hand: notification, counters and item. */
const RAW = {
  name: "raw_create",
  text: `WITH n AS (
      INSERT INTO raw.belfry_notifications (tenant, id, kind, type, title, message, data, created_at)
      VALUES ($1, $2, 'message', $4, $5, $6, $7, now()) RETURNING pk, tenant, type, created_at),
    c AS (
      INSERT INTO raw.belfry_inbox_counters (tenant, user_id, last_seq, total, unread, read_up_to_seq, epoch) VALUES ($1, $3, 1, 1, 1, 0, 'e')
      ON CONFLICT (tenant, user_id) DO UPDATE SET last_seq = belfry_inbox_counters.last_seq + 1, total = belfry_inbox_counters.total + 1,
        unread = belfry_inbox_counters.unread + 1 RETURNING last_seq)
    INSERT INTO raw.belfry_inbox_items (tenant, user_id, seq, notification_pk, type, created_at)
    SELECT n.tenant, $3, c.last_seq, n.pk, n.type, n.created_at FROM n, c RETURNING seq`,
};

async function compare({ inFlight, goal }: { inFlight: number; goal: number }): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const { service, pool } = await setting.belfry("belfry", 1);
  const { pool: raw } = await setting.belfry("raw", 1);
  const user = nextUser();
  const done = { belfry: 0, raw: 0 };
  return {
    knobs: await setting.knobs(),
    goals: [{ against: "raw, one by one", atLeast: goal }],
    contenders: [
      {
        name: "belfry",
        async run(count) {
          for (let left = count; left > 0; left -= inFlight) {
            const size = Math.min(inFlight, left);
            await Promise.all(
              Array.from({ length: size }, () =>
                service.create({ to: user(), title: "Order shipped", message: "It is on its way.", data: { order: 7 } }),
              ),
            );
          }
          done.belfry += count;
        },
      },
      {
        name: "raw, one by one",
        async run(count) {
          for (let index = 0; index < count; index += 1) {
            const values = [
              "default",
              randomUUID(),
              user(),
              "notification",
              "Order shipped",
              "It is on its way.",
              JSON.stringify({ order: 7 }),
            ];
            await raw.query({ ...RAW, values });
          }
          done.raw += count;
        },
      },
    ],
    async check() {
      await expectRows(pool, "belfry", done.belfry);
      await expectRows(raw, "raw", done.raw);
    },
    close: () => setting.close(),
  };
}

async function expectRows(pool: Pool, schema: string, expected: number): Promise<void> {
  const { rows } = await pool.query<{ count: string }>(`SELECT count(*) AS count FROM ${schema}.belfry_inbox_items`);
  if (Number(rows[0]?.count) !== expected) {
    throw new Error(`${schema} was to hold ${expected} items and holds ${rows[0]?.count}.`);
  }
}
