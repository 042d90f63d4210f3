import type { FigureGoal, Figures, RatioGoal, Row, Scale } from "../harness/row.ts";
import { PostgresSetting } from "../settings/postgres.ts";
import { SqliteSetting } from "../settings/sqlite.ts";
import { comparePostgresTopic, compareSqliteTopic, subscribePostgres, subscribeSqlite, TOPIC } from "../settings/topic.ts";
import { usersOf } from "../settings/users.ts";
import { watchCreate } from "../settings/watched-create.ts";

const SUBSCRIBERS = 1_000_000;
/** Just so many that they are found in the background. */
const FEW = 1_001;
const ROUNDS = 3;

async function watch(target: string): Promise<Figures["samples"]> {
  const samples = {
    "longest block, ms": [] as number[],
    "p99 of the event loop's delay, ms": [] as number[],
    "heap held above idle, MB": [] as number[],
    "heap above idle, with garbage, MB": [] as number[],
    "the create, × one to a single user": [] as number[],
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const { longestMs = 0, p99Ms = 0, heldMb = 0, heapMb = 0, times = 0 } = await watchCreate(target, { topic: TOPIC });
    samples["longest block, ms"].push(longestMs);
    samples["p99 of the event loop's delay, ms"].push(p99Ms);
    samples["heap held above idle, MB"].push(heldMb);
    samples["heap above idle, with garbage, MB"].push(heapMb);
    samples["the create, × one to a single user"].push(times);
  }
  return samples;
}

async function watchSqlite(scale: Scale): Promise<Figures> {
  const setting = await SqliteSetting.open();
  try {
    await setting.tables("belfry.db");
    const database = setting.raw("belfry.db");
    subscribeSqlite(database, usersOf(scale.of(SUBSCRIBERS)));
    subscribeSqlite(database, usersOf(FEW), `${TOPIC}:few`);
    database.close();
    return { samples: await watch(setting.path("belfry.db")), knobs: "SQLite, the settings of row 1a" };
  } finally {
    await setting.close();
  }
}

async function watchPostgres(scale: Scale): Promise<Figures> {
  const setting = await PostgresSetting.open();
  try {
    const { service, pool } = await setting.belfry("public", 1);
    await service.stop();
    await subscribePostgres(pool, "public", usersOf(scale.of(SUBSCRIBERS)));
    await subscribePostgres(pool, "public", usersOf(FEW), `${TOPIC}:few`);
    return { samples: await watch(setting.url), knobs: await setting.knobs() };
  } finally {
    await setting.close();
  }
}

const goals: readonly RatioGoal[] = [{ ratio: "rate", against: "raw", atLeast: 0.85 }];
const figureGoals: readonly FigureGoal[] = [
  { figure: "longest block, ms", unit: "ms", atMost: 25 },
  { figure: "heap held above idle, MB", unit: "MB", atMost: 64 },
  { figure: "the create, × one to a single user", unit: "×", atMost: 2 },
];

export const row: Row = {
  id: "2d",
  what: "One notification to a topic of 100,000 and of 1,000,000 subscribers",
  cases: [
    { name: "SQLite, 100,000", goals, rounds: 5, open: (scale) => compareSqliteTopic(100_000, scale) },
    { name: "SQLite, 1,000,000", goals, rounds: 3, open: (scale) => compareSqliteTopic(1_000_000, scale) },
    { name: "PostgreSQL, 100,000", goals, rounds: 5, open: (scale) => comparePostgresTopic(100_000, scale) },
    { name: "PostgreSQL, 1,000,000", goals, rounds: 3, open: (scale) => comparePostgresTopic(1_000_000, scale) },
    { name: "SQLite, blocks and heap", goals: figureGoals, figures: watchSqlite },
    { name: "PostgreSQL, blocks and heap", goals: figureGoals, figures: watchPostgres },
  ],
};
