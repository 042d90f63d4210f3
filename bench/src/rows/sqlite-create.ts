import type { BenchRow, Comparison } from "../measure.ts";
import { naiveCreate, rawCreate } from "./raw-sqlite.ts";
import { KNOBS, nextUser, preload, SqliteSetting } from "./sqlite-setting.ts";

const TOGETHER = 64;
/** Rows to create first: indexes of an empty table cost nothing. */
const PRELOADED = 100_000;

export const sqliteCreateOne: BenchRow = {
  id: "1a",
  what: "SQLite create, awaited one by one",
  open: () =>
    compare({
      inFlight: 1,
      goals: [
        { against: "raw", atLeast: 0.85 },
        { against: "naive", atLeast: 1.3 },
      ],
    }),
};

export const sqliteCreateTogether: BenchRow = {
  id: "1b",
  what: `SQLite create, ${TOGETHER} in flight`,
  open: () =>
    compare({
      inFlight: TOGETHER,
      goals: [
        { against: "raw", atLeast: 0.9 },
        { against: "naive", atLeast: 2.5 },
      ],
    }),
};

async function compare({ inFlight, goals }: { inFlight: number; goals: Comparison["goals"] }): Promise<Comparison> {
  const setting = await SqliteSetting.open();
  const { service } = await setting.belfry("belfry.db");
  await (await setting.belfry("raw.db")).service.stop();
  const raw = setting.raw("raw.db");
  const create = rawCreate(raw);
  const naiveDatabase = setting.raw("naive.db");
  const naive = naiveCreate(naiveDatabase);
  const user = nextUser();
  await preload(service, PRELOADED);
  preloadRaw(raw, create, user);
  preloadRaw(naiveDatabase, naive, user);
  const done = { belfry: PRELOADED, raw: PRELOADED, naive: PRELOADED };
  const batches = (count: number) =>
    Array.from({ length: Math.ceil(count / inFlight) }, (_, index) => Math.min(inFlight, count - index * inFlight));
  return {
    knobs: KNOBS,
    goals,
    contenders: [
      {
        name: "belfry",
        async run(count) {
          for (const size of batches(count)) {
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
        name: "raw",
        async run(count) {
          for (const size of batches(count)) {
            raw.transaction(() => {
              for (let index = 0; index < size; index += 1) {
                create(user());
              }
            })();
          }
          done.raw += count;
        },
      },
      {
        name: "naive",
        async run(count) {
          for (let index = 0; index < count; index += 1) {
            naive(user());
          }
          done.naive += count;
        },
      },
    ],
    async check() {
      const counted = {
        belfry: (await service.defaultTenant.latest(1)).length && countOf(setting.raw("belfry.db"), "belfry_inbox_items"),
        raw: countOf(raw, "belfry_inbox_items"),
        naive: countOf(naiveDatabase, "notifications"),
      };
      for (const side of ["belfry", "raw", "naive"] as const) {
        if (counted[side] !== done[side]) {
          throw new Error(`${side} was to write ${done[side]} rows and wrote ${counted[side]}.`);
        }
      }
    },
    close: () => setting.close(),
  };
}

function preloadRaw(database: ReturnType<SqliteSetting["raw"]>, create: (userId: string) => void, user: () => string): void {
  database.transaction(() => {
    for (let index = 0; index < PRELOADED; index += 1) {
      create(user());
    }
  })();
}

function countOf(database: ReturnType<SqliteSetting["raw"]>, table: string): number {
  return (database.prepare(`SELECT count(*) AS count FROM ${table}`).get() as { count: number }).count;
}
