import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotificationService, type Processor } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import Database from "better-sqlite3";
import { PostgresSetting } from "../rows/postgres-setting.ts";
import type { Scenario } from "./scenario.ts";

const EVENTS = Number(process.env.BENCH_EVENTS ?? 50_000);
const HANDLERS = 20;
const IN_FLIGHT = 64;
const COUNT = "SELECT status, count(*) AS count FROM belfry_processing_records GROUP BY status";

/** Answers at once, so that the scenario measures only Belfry. */
const processor: Processor = {
  name: "none",
  timeoutMs: 60_000,
  concurrency: 500,
  process: async () => ({ status: "completed", text: "ok" }),
};

/** Measures events through handlers on both databases, and checks that no record is lost. */
export const hubThroughput: Scenario = {
  id: "hub",
  what: `${EVENTS} events through ${HANDLERS} handlers, ${IN_FLIGHT} events in flight, synchronous=FULL and synchronous_commit=on`,
  async run() {
    return { ...(await onSqlite()), ...(await onPostgres()) };
  },
};

interface Counted {
  readonly status: string;
  readonly count: number | string;
}

async function onSqlite(): Promise<Record<string, string>> {
  const directory = await mkdtemp(join(tmpdir(), "belfry-bench-"));
  const file = join(directory, "hub.db");
  try {
    return await through("SQLite", sqliteStorage(file), async () => {
      const database = new Database(file, { readonly: true });
      const rows = database.prepare(COUNT).all() as Counted[];
      database.close();
      return rows;
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function onPostgres(): Promise<Record<string, string>> {
  const setting = await PostgresSetting.open();
  const pool = setting.pool(10);
  try {
    return await through("PostgreSQL", postgresStorage(pool), async () => (await pool.query<Counted>(COUNT)).rows);
  } finally {
    await setting.close();
  }
}

async function through(name: string, storage: Storage, count: () => Promise<readonly Counted[]>): Promise<Record<string, string>> {
  const service = new NotificationService({ storage, hub: { processor } });
  const { events, handlers } = service.hub;
  for (let made = 0; made < HANDLERS; made += 1) {
    await handlers.create({ source: "bench", prompt: `handler ${made}`, filter: { level: { operator: "gte", value: made % 2 } } });
  }
  let settled = 0;
  service.on("record.completed", () => {
    settled += 1;
  });
  const startedMs = performance.now();
  let pushed = 0;
  const push = async () => {
    while (pushed < EVENTS) {
      pushed += 1;
      await events.create({ source: "bench", sender: `sender ${pushed % 1_000}`, content: "Something happened.", metadata: { level: 1 } });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, push));
  const takenInS = (performance.now() - startedMs) / 1_000;
  while (settled < EVENTS * HANDLERS) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const allInS = (performance.now() - startedMs) / 1_000;
  await service.stop();
  const stored = (await count()).map(({ status, count: records }) => `${records} ${status}`).join(", ");
  return {
    [`${name}: events a second, taken in while handlers ran`]: String(Math.round(EVENTS / takenInS)),
    [`${name}: records a second, from the first event to the last result`]: String(Math.round((EVENTS * HANDLERS) / allInS)),
    [`${name}: records stored`]: stored,
  };
}
