import { setTimeout } from "node:timers/promises";
import { startRedis } from "@belfry/redis-launcher";
import type pg from "pg";
import { enqueueInPostgres } from "../settings/due-postgres.ts";
import { numberIn } from "../settings/postgres.ts";
import { pendingIn, withWorkers } from "./running-workers.ts";

/** What is measured. */
export interface WorkerLoadSize {
  /** How many deliveries are due at the beginning. */
  readonly deliveries: number;
  /** For how long a transaction holds its snapshot, in seconds. */
  readonly snapshotSeconds: number;
}

/** How many processes work at once. */
const WORKERS = [1, 2, 4, 8];
/** Into how many parts the time of a held snapshot is divided. */
const SLICES = 5;
/** While deliveries are done, at least so many others wait. */
const BACKLOG = 4_000;
const LOOK_MS = 20;

/** Measures how many deliveries a second several workers do, and one worker beside a transaction that holds its snapshot. */
export async function measureWorkers({ deliveries, snapshotSeconds }: WorkerLoadSize): Promise<readonly string[]> {
  const redis = await startRedis();
  const engines = [
    ["Belfry's own worker", ""],
    ["BullMQ", redis.url],
  ] as const;
  try {
    const lines = [`${deliveries.toLocaleString("en")} due deliveries over a channel that does nothing, on PostgreSQL`];
    for (const [name, url] of engines) {
      const rates: number[] = [];
      for (const count of WORKERS) {
        const rate = await rateOf(count, url, deliveries);
        rates.push(rate);
        lines.push(
          `${name}: ${count} worker${count === 1 ? "" : "s"}: ${shown(rate)} a second, ${(rate / (rates[0] ?? rate)).toFixed(2)} × one`,
        );
      }
    }
    for (const [name, url] of engines) {
      lines.push(...(await besideSnapshot(name, url, snapshotSeconds)));
    }
    return lines;
  } finally {
    await redis.stop();
  }
}

function rateOf(count: number, redisUrl: string, deliveries: number): Promise<number> {
  return withWorkers(count, redisUrl, async ({ pool, start }) => {
    await enqueueInPostgres(pool, "public", deliveries);
    await pool.query("VACUUM ANALYZE");
    const startedMs = performance.now();
    await start();
    while ((await pendingIn(pool)) > 0) {
      await setTimeout(LOOK_MS);
    }
    return (1_000 * deliveries) / (performance.now() - startedMs);
  });
}

/** Delivers for a while without and then with a transaction that holds its snapshot: what is dead meanwhile cannot be cleaned up. */
function besideSnapshot(name: string, redisUrl: string, seconds: number): Promise<readonly string[]> {
  return withWorkers(1, redisUrl, async ({ pool, start }) => {
    await enqueueInPostgres(pool, "public", BACKLOG);
    await start();
    const sliceMs = (1_000 * seconds) / SLICES;
    const before = await rateDuring(pool, sliceMs);
    const holder = await pool.connect();
    await holder.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    await holder.query("SELECT count(*) FROM belfry_deliveries");
    const held: number[] = [];
    for (let slice = 0; slice < SLICES; slice += 1) {
      held.push(await rateDuring(pool, sliceMs));
    }
    await holder.query("COMMIT");
    holder.release();
    const rates = held.map(shown).join(", ");
    return [`${name}: a snapshot held for ${seconds} s: ${rates} a second in its fifths; ${shown(before)} a second before it`];
  });
}

/** How many deliveries a second are done in a time in which there are always more. */
async function rateDuring(pool: pg.Pool, ms: number): Promise<number> {
  const done = () => numberIn(pool, "SELECT count(*) FROM belfry_deliveries WHERE status = 'delivered'");
  const doneBefore = await done();
  const startedMs = performance.now();
  while (performance.now() - startedMs < ms) {
    const missing = BACKLOG - (await pendingIn(pool));
    if (missing > 0) {
      await enqueueInPostgres(pool, "public", missing);
    }
    await setTimeout(LOOK_MS);
  }
  return (1_000 * ((await done()) - doneBefore)) / (performance.now() - startedMs);
}

function shown(rate: number): string {
  return Math.round(rate).toLocaleString("en");
}
