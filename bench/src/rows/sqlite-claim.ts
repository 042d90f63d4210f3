import { join } from "node:path";
import { sqliteStorage } from "@belfry/storage-sqlite";
import type { BenchRow, Comparison } from "../measure.ts";
import { deliveringService, enqueue } from "./claim.ts";
import { KNOBS, SqliteSetting } from "./sqlite-setting.ts";

const BATCH = 100;

export const sqliteClaim: BenchRow = { id: "6b", what: `SQLite claim and complete, ${BATCH} at a time`, open: compare };

async function compare(): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const storage = sqliteStorage(join(setting.directory, "belfry.db"));
  const service = deliveringService(storage);
  await service.inbox("nobody").counts();
  const raw = setting.raw("raw.db");
  raw.exec(
    "CREATE TABLE jobs (id INTEGER PRIMARY KEY, status TEXT NOT NULL DEFAULT 'pending', due_at INTEGER NOT NULL DEFAULT 0, owner TEXT, attempt INTEGER NOT NULL DEFAULT 0)",
  );
  raw.exec("CREATE INDEX due ON jobs (due_at) WHERE status = 'pending' AND owner IS NULL");
  const insert = raw.prepare("INSERT INTO jobs (due_at) VALUES (0)");
  const claim = raw.prepare(
    "UPDATE jobs SET owner = 'w', attempt = attempt + 1 WHERE id IN (SELECT id FROM jobs WHERE status = 'pending' AND owner IS NULL AND due_at <= ? ORDER BY due_at LIMIT ?) RETURNING id",
  );
  const complete = raw.prepare("UPDATE jobs SET status = 'delivered', owner = NULL WHERE id IN (SELECT value FROM json_each(?))");
  const check = setting.raw("belfry.db").prepare("SELECT count(*) AS count FROM belfry_deliveries WHERE status = 'delivered'");
  let done = 0;
  return {
    knobs: `${KNOBS}; both write their jobs first, which counts`,
    goals: [{ against: "raw", atLeast: 0.7 }],
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
          raw.transaction(() => {
            for (let index = 0; index < count; index += 1) {
              insert.run();
            }
          })();
          for (let left = count; left > 0; left -= BATCH) {
            const rows = claim.all(1, BATCH) as { id: number }[];
            complete.run(JSON.stringify(rows.map(({ id }) => id)));
          }
        },
      },
    ],
    async check() {
      const { count } = check.get() as { count: number };
      if (count !== done) {
        throw new Error(`${done} deliveries were to be delivered, ${count} are.`);
      }
    },
    async close() {
      await service.stop();
      await setting.close();
    },
  };
}
