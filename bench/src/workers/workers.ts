import { setTimeout } from "node:timers/promises";
import { startRedis } from "@belfry/redis-launcher";
import { type Done, doneBetween, type Engine, type Reading, WorkerGroup } from "./worker-group.ts";

/** What is measured. */
export interface WorkerLoadSize {
  /** How many deliveries are due at once. */
  readonly deliveries: number;
  /** For how long a transaction holds its snapshot, in seconds. */
  readonly snapshotSeconds: number;
  /** All of {@link WORKER_PARTS} if there is none. */
  readonly parts: readonly string[];
}

/** What can be measured by itself. */
export const WORKER_PARTS = ["claims", "snapshot"] as const;

type Print = (lines: readonly string[]) => void;

/** How many processes work at once. */
const WORKERS = [1, 2, 4, 8];
/** How many deliveries each process does before it is measured: code that runs for the first time is slow. */
const WARM_UP = 250;
/** Workers look once a second: by then all of them know when the next is due. */
const DUE_IN_MS = 2_000;
/** How long each stage may take. */
const STAGE_MS = 60_000;
/** Into how many parts the time of a held snapshot is divided. */
const SLICES = 5;
/** While deliveries are done, at least so many others wait. */
const BACKLOG = 4_000;
const LOOK_MS = 20;

/**
 * Measures how many deliveries a second several workers do, and one worker beside a transaction that holds its snapshot. It prints what it knows as it
 * goes.
 */
export async function measureWorkers({ deliveries, snapshotSeconds, parts }: WorkerLoadSize, print: Print): Promise<void> {
  const redis = await startRedis();
  const engines = [
    { name: "Belfry's own worker", redisUrl: "" },
    { name: "BullMQ", redisUrl: redis.url },
  ];
  const measures = {
    claims: (engine: Engine) => besideOne(engine, deliveries, print),
    snapshot: (engine: Engine) => besideSnapshot(engine, snapshotSeconds, print),
  };
  try {
    print([`${deliveries.toLocaleString("en")} due deliveries over a channel that does nothing, on PostgreSQL`]);
    for (const part of WORKER_PARTS.filter((one) => parts.length === 0 || parts.includes(one))) {
      for (const engine of engines) {
        await measures[part](engine);
      }
    }
  } finally {
    await redis.stop();
  }
}

async function besideOne(engine: Engine, deliveries: number, print: Print): Promise<void> {
  let one: number | null = null;
  for (const count of WORKERS) {
    const { left, done } = await WorkerGroup.with(engine, count, (group) => deliverAll(group, count, deliveries));
    one ??= rateOf(done);
    const workers = `${engine.name}: ${count} worker${count === 1 ? "" : "s"}`;
    const end = left > 0 ? `; ${left} were left after ${STAGE_MS / 1_000} s` : "";
    print([`${workers}: ${shown(done)}; ${(rateOf(done) / one).toFixed(2)} × one${end}`]);
  }
}

async function deliverAll(group: WorkerGroup, count: number, deliveries: number) {
  await group.enqueue(WARM_UP * count);
  await group.start();
  await group.drain(STAGE_MS);
  const before = await group.read();
  const dueMs = await group.enqueue(deliveries, { dueInMs: DUE_IN_MS });
  await group.analyze();
  const left = await group.drain(STAGE_MS);
  return { left, done: doneBetween(before, await group.read(), dueMs) };
}

/** Delivers for a while without and then with a transaction that holds its snapshot: what is dead meanwhile cannot be cleaned up. */
function besideSnapshot(engine: Engine, seconds: number, print: Print): Promise<void> {
  return WorkerGroup.with(engine, 1, async (group) => {
    const sliceMs = (1_000 * seconds) / SLICES;
    await group.enqueue(BACKLOG);
    await group.start();
    await busyFor(group, sliceMs);
    const show = (when: string, done: Done) => print([`${engine.name}, ${when}: ${shown(done)}`]);
    show("before a snapshot is held", await busyFor(group, sliceMs));
    const release = await group.holdSnapshot();
    for (let slice = 1; slice <= SLICES; slice += 1) {
      show(`until ${(seconds * slice) / SLICES} s of a held snapshot`, await busyFor(group, sliceMs));
    }
    await release();
  });
}

/** Delivers for a time in which there are always more. */
async function busyFor(group: WorkerGroup, ms: number): Promise<Done> {
  const before: Reading = await group.read();
  while (performance.now() - before.atMs < ms) {
    const missing = BACKLOG - (await group.waiting());
    if (missing > 0) {
      await group.enqueue(missing);
    }
    await setTimeout(LOOK_MS);
  }
  return doneBetween(before, await group.read());
}

function rateOf({ delivered, seconds }: Done): number {
  return delivered / seconds;
}

function shown(done: Done): string {
  const { processes, server, redis } = done.micros;
  const inRedis = redis > 0 ? `, ${Math.round(redis)} µs in Redis` : "";
  const cpu = `${Math.round(processes)} µs in its process, ${Math.round(server)} µs in PostgreSQL${inRedis}`;
  return `${Math.round(rateOf(done)).toLocaleString("en")} a second; CPU of each: ${cpu}`;
}
