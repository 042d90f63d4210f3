import type { FigureGoal, Figures, Row, Scale } from "../harness/row.ts";
import { PostgresSetting } from "../settings/postgres.ts";
import { SqliteSetting } from "../settings/sqlite.ts";
import { watchCreate } from "../settings/watched-create.ts";

const USERS = 1_000_000;
const MAIL_USERS = 100_000;
const ROUNDS = 3;

async function measure(target: string, users: number, hasMail: boolean): Promise<Figures["samples"]> {
  const samples = {
    "longest block, ms": [] as number[],
    "longest block, with waiting for a processor, ms": [] as number[],
    "most CPU in a block, ms": [] as number[],
    "p99 of the event loop's delay, ms": [] as number[],
    "heap held above idle, MB": [] as number[],
    "heap above idle, with garbage, MB": [] as number[],
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const watched = await watchCreate(target, { users, hasMail });
    const { longestMs = 0, longestWithQueueMs = 0, mostCpuMs = 0, p99Ms = 0, heldMb = 0, heapMb = 0 } = watched;
    samples["longest block, ms"].push(longestMs);
    samples["longest block, with waiting for a processor, ms"].push(longestWithQueueMs);
    samples["most CPU in a block, ms"].push(mostCpuMs);
    samples["p99 of the event loop's delay, ms"].push(p99Ms);
    samples["heap held above idle, MB"].push(heldMb);
    samples["heap above idle, with garbage, MB"].push(heapMb);
  }
  return samples;
}

async function onSqlite(scale: Scale, hasMail = false): Promise<Figures> {
  const setting = await SqliteSetting.open();
  try {
    return { samples: await measure(setting.path("belfry.db"), usersOf(scale, hasMail), hasMail), knobs: "SQLite, the settings of row 1a" };
  } finally {
    await setting.close();
  }
}

async function onPostgres(scale: Scale, hasMail = false): Promise<Figures> {
  const setting = await PostgresSetting.open();
  setting.pool(1);
  try {
    return { samples: await measure(setting.url, usersOf(scale, hasMail), hasMail), knobs: await setting.knobs() };
  } finally {
    await setting.close();
  }
}

function usersOf(scale: Scale, hasMail: boolean): number {
  return scale.of(hasMail ? MAIL_USERS : USERS);
}

const HEAP: FigureGoal = { figure: "heap held above idle, MB", unit: "MB", atMost: 64 };

/** Of a list of users, 99 of 100 blocks are to be shorter; of an audience with deliveries, every one. */
const goals: readonly FigureGoal[] = [{ figure: "p99 of the event loop's delay, ms", unit: "ms", atMost: 25 }, HEAP];
const mailGoals: readonly FigureGoal[] = [{ figure: "longest block, ms", unit: "ms", atMost: 25 }, HEAP];

export const row: Row = {
  id: "2b",
  what: "Longest block of the event loop, and heap, while creating to 1,000,000 users, and with e-mail to 100,000",
  cases: [
    { name: "SQLite", goals, figures: onSqlite },
    { name: "PostgreSQL", goals, figures: onPostgres },
    { name: "SQLite, e-mail", goals: mailGoals, figures: (scale) => onSqlite(scale, true) },
    { name: "PostgreSQL, e-mail", goals: mailGoals, figures: (scale) => onPostgres(scale, true) },
  ],
};
