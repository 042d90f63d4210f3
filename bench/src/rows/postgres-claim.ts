import { postgresStorage } from "@belfry/storage-postgres";
import type { BenchRow, Comparison } from "../measure.ts";
import { deliveringService, enqueue } from "./claim.ts";
import { PostgresSetting } from "./postgres-setting.ts";

const BATCH = 100;

export const postgresClaim: BenchRow = { id: "6a", what: `PostgreSQL claim and complete, ${BATCH} at a time`, open: compare };

async function compare(): Promise<Comparison> {
  const setting = await PostgresSetting.open();
  const pool = setting.pool(2);
  const storage = postgresStorage(pool, { schema: "belfry" });
  const service = deliveringService(storage);
  await service.inbox("nobody").counts();
  const raw = setting.pool(1);
  await raw.query(
    "CREATE TABLE jobs (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, status text NOT NULL DEFAULT 'pending', due_at timestamptz NOT NULL DEFAULT now(), owner text, attempt int NOT NULL DEFAULT 0)",
  );
  await raw.query("CREATE INDEX due ON jobs (due_at) WHERE status = 'pending' AND owner IS NULL");
  let done = 0;
  return {
    knobs: `${await setting.knobs()}; both write their jobs first, which counts`,
    goals: [{ against: "raw", atLeast: 0.8 }],
    contenders: [
      {
        name: "belfry",
        atLeast: 2_000,
        async run(count) {
          await enqueue(storage, count);
          await service.runDue();
          done += count;
        },
      },
      {
        name: "raw",
        atLeast: 2_000,
        async run(count) {
          await raw.query("INSERT INTO jobs (status) SELECT 'pending' FROM generate_series(1, $1)", [count]);
          for (let left = count; left > 0; left -= BATCH) {
            const { rows } = await raw.query<{ id: string }>(
              "UPDATE jobs SET owner = 'w', attempt = attempt + 1 WHERE id IN (SELECT id FROM jobs WHERE status = 'pending' AND owner IS NULL AND due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id",
              [BATCH],
            );
            await raw.query("UPDATE jobs SET status = 'delivered', owner = NULL WHERE id = ANY ($1)", [rows.map(({ id }) => id)]);
          }
        },
      },
    ],
    async check() {
      const { rows } = await pool.query<{ count: string }>(
        "SELECT count(*) AS count FROM belfry.belfry_deliveries WHERE status = 'delivered'",
      );
      if (Number(rows[0]?.count) !== done) {
        throw new Error(`${done} deliveries were to be delivered, ${rows[0]?.count} are.`);
      }
    },
    async close() {
      await service.stop();
      await setting.close();
    },
  };
}
