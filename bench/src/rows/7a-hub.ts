import { NotificationService, type Processor } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import type { FigureGoal, Figures, Row, Scale } from "../harness/row.ts";
import { numberIn, PostgresSetting } from "../settings/postgres.ts";
import { numberOf, SqliteSetting } from "../settings/sqlite.ts";

const EVENTS = 5_000;
const HANDLERS = 20;
const IN_FLIGHT = 64;
const ROUNDS = 3;
const COMPLETED = "SELECT count(*) FROM belfry_processing_records WHERE status = 'COMPLETED'";

/** Answers at once, so that the row measures the hub. */
const processor: Processor = {
  name: "none",
  timeoutMs: 30_000,
  concurrency: 500,
  process: async () => ({ status: "completed", text: "ok" }),
};

/** Events go in while handlers run; a round ends with the last result. Throws unless every record was completed. */
async function measure(storage: Storage, scale: Scale, completed: () => number | Promise<number>): Promise<Figures["samples"]> {
  const service = new NotificationService({ storage, hub: { processor } });
  const { events, handlers } = service.hub;
  for (let made = 0; made < HANDLERS; made += 1) {
    await handlers.create({ source: "bench", prompt: `handler ${made}`, filter: { level: { operator: "gte", value: made % 2 } } });
  }
  await service.start();
  let settled = 0;
  let awaited = Number.POSITIVE_INFINITY;
  let resolve: () => void = () => {};
  service.on("record.completed", () => {
    settled += 1;
    if (settled >= awaited) {
      resolve();
    }
  });
  const count = scale.of(EVENTS);
  const round = async () => {
    const all = new Promise<void>((done) => {
      [awaited, resolve] = [settled + count * HANDLERS, done];
    });
    const startedMs = performance.now();
    let pushed = 0;
    const push = async () => {
      while (pushed < count) {
        pushed += 1;
        const content = "Something happened.";
        await events.create({ source: "bench", sender: `sender ${pushed % 1_000}`, content, metadata: { level: 1 } });
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, push));
    await all;
    return (count * HANDLERS * 1_000) / (performance.now() - startedMs);
  };
  const samples: number[] = [];
  for (let index = 0; index <= ROUNDS; index += 1) {
    const perSecond = await round();
    samples.push(...(index === 0 ? [] : [perSecond]));
  }
  const expected = (ROUNDS + 1) * count * HANDLERS;
  const found = await completed();
  await service.stop();
  if (found !== expected) {
    throw new Error(`${expected} records were to be completed, ${found} are.`);
  }
  return { "records/s": samples };
}

async function onSqlite(scale: Scale): Promise<Figures> {
  const setting = await SqliteSetting.open();
  await setting.tables("belfry.db");
  const raw = setting.raw("belfry.db");
  try {
    const samples = await measure(sqliteStorage(setting.path("belfry.db")), scale, () => numberOf(raw, COMPLETED));
    return { samples, knobs: setting.knobs("belfry.db") };
  } finally {
    await setting.close();
  }
}

async function onPostgres(scale: Scale): Promise<Figures> {
  const setting = await PostgresSetting.open();
  const pool = setting.pool(10);
  try {
    return { samples: await measure(postgresStorage(pool), scale, () => numberIn(pool, COMPLETED)), knobs: await setting.knobs() };
  } finally {
    await setting.close();
  }
}

const goals = (perSecond: number): readonly FigureGoal[] => [{ figure: "records/s", unit: "/s", atLeast: perSecond }];

export const row: Row = {
  id: "7a",
  what: `Hub: ${EVENTS} events × ${HANDLERS} handlers, ${IN_FLIGHT} events in flight`,
  cases: [
    { name: "SQLite", goals: goals(40_000), figures: onSqlite },
    { name: "PostgreSQL", goals: goals(20_000), figures: onPostgres },
  ],
};
