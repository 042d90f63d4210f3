import { GROWTH_FILE, type Machine, thisMachine, writeResults } from "../harness/results.ts";
import { UNCACHED } from "../settings/content.ts";
import { endInPostgres, enqueueInPostgres } from "../settings/due-postgres.ts";
import { endInSqlite, enqueuerInSqlite } from "../settings/due-sqlite.ts";
import { fillPostgres } from "../settings/fill-postgres.ts";
import { fillSqlite } from "../settings/fill-sqlite.ts";
import { noopChannel, TURNS } from "../settings/noop-channel.ts";
import { PostgresSetting } from "../settings/postgres.ts";
import { SqliteSetting } from "../settings/sqlite.ts";
import { usersOf } from "../settings/users.ts";
import { type Medians, measureOperations } from "./operations.ts";

const SQLITE_SIZES = [10_000, 100_000, 1_000_000, 10_000_000];
const POSTGRES_SIZES = [10_000, 100_000, 1_000_000];
const ITEMS_PER_USER = 50;
const HOT_SHARE = 0.5;
/** How many deliveries are written at a time. */
const STEP = 100_000;
/** How the service runs: it reads its pages anew, and has turns for the deliveries of its only tenant. */
const OPTIONS = { ...UNCACHED, channels: [noopChannel()], delivery: { concurrency: TURNS } };
/** An operation that takes no more than this many times as long at the largest size as at the smallest is called flat. */
const FLAT = 1.5;

/** The times of one database: by size, by operation. */
export interface Growth {
  readonly database: string;
  readonly knobs: string;
  readonly sizes: readonly { readonly items: number; readonly medians: Medians }[];
}

/** The growth table, and the machine it is of. */
export interface GrowthResults {
  readonly machine: Machine;
  readonly growth: readonly Growth[];
}

/** Measures how operations grow with the tables, prints it, and writes it. */
export async function printGrowth(scale: number, print: (lines: readonly string[]) => void): Promise<void> {
  const growth: Growth[] = [];
  for (const measure of [growOnSqlite, growOnPostgres]) {
    const one = await measure(scale);
    print(growthLines(one));
    growth.push(one);
  }
  await writeResults(GROWTH_FILE, { machine: thisMachine(), growth } satisfies GrowthResults);
  print([`Written to ${GROWTH_FILE}.`]);
}

/** The table of one database, as cells: a line for each operation. */
export function growthCells({ sizes }: Growth): readonly (readonly string[])[] {
  const names = Object.keys(sizes[0]?.medians ?? {});
  const heading = ["median, µs", ...sizes.map(({ items }) => `${items.toLocaleString("en")} items`), ""];
  return [
    heading,
    ...names.map((name) => {
      const micros = sizes.map(({ medians }) => medians[name] ?? Number.NaN);
      const grown = (micros.at(-1) ?? Number.NaN) / (micros[0] ?? Number.NaN);
      return [name, ...micros.map((one) => one.toFixed(0)), grown <= FLAT ? "flat" : `× ${grown.toFixed(1)}`];
    }),
  ];
}

function growthLines(growth: Growth): readonly string[] {
  const cells = growthCells(growth);
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lines = cells.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  return [`${growth.database}  (${growth.knobs})`, ...lines.map((line) => `  ${line.trimEnd()}`), ""];
}

function fillingOf(items: number) {
  return { items, users: usersOf(Math.max(10, Math.round(items / ITEMS_PER_USER))), hotShare: HOT_SHARE };
}

/** A number in parts of at most {@link STEP}. */
function stepsOf(count: number): readonly number[] {
  return Array.from({ length: Math.ceil(count / STEP) }, (_, index) => Math.min(STEP, count - index * STEP));
}

async function growOnSqlite(scale: number): Promise<Growth> {
  const sizes: Growth["sizes"][number][] = [];
  let knobs = "";
  for (const size of SQLITE_SIZES) {
    const setting = await SqliteSetting.open();
    const filling = fillingOf(Math.round(size * scale));
    const service = await setting.belfry("belfry.db", OPTIONS);
    const database = setting.raw("belfry.db");
    fillSqlite(database, filling);
    const enqueue = enqueuerInSqlite(database);
    for (const step of stepsOf(filling.items)) {
      enqueue(step);
      endInSqlite(database);
    }
    knobs = setting.knobs("belfry.db");
    const medians = await measureOperations({ service, users: filling.users, hotItems: filling.items * HOT_SHARE, enqueue });
    sizes.push({ items: filling.items, medians });
    await setting.close();
  }
  return { database: "SQLite", knobs, sizes };
}

async function growOnPostgres(scale: number): Promise<Growth> {
  const sizes: Growth["sizes"][number][] = [];
  let knobs = "";
  for (const size of POSTGRES_SIZES) {
    const setting = await PostgresSetting.open();
    const filling = fillingOf(Math.round(size * scale));
    const { service, pool } = await setting.belfry("belfry", 2, OPTIONS);
    await fillPostgres(pool, "belfry", filling);
    const enqueue = (count: number) => enqueueInPostgres(pool, "belfry", count);
    for (const step of stepsOf(filling.items)) {
      await enqueue(step);
      await endInPostgres(pool, "belfry");
    }
    await pool.query("VACUUM ANALYZE");
    knobs = await setting.knobs();
    const medians = await measureOperations({ service, users: filling.users, hotItems: filling.items * HOT_SHARE, enqueue });
    sizes.push({ items: filling.items, medians });
    await setting.close();
  }
  return { database: "PostgreSQL", knobs, sizes };
}
