import { startRedis } from "@belfry/redis-launcher";
import { percentile } from "../harness/statistics.ts";
import type { FleetTask } from "../load/fleet-instance.ts";
import type { SocketsTask } from "../load/fleet-sockets.ts";
import { LoadProcess } from "../load/load-process.ts";
import { PostgresSetting } from "../settings/postgres.ts";

/** How large a fleet is, and how much is created in it. */
export interface FleetSize {
  readonly instances: number;
  readonly sockets: number;
  /** How many notifications a second, over all instances. */
  readonly perSecond: number;
  readonly seconds: number;
}

type Timed = readonly (readonly [title: string, atMs: number])[];

/** Measures what instances hear of each other, and how long it is from a commit to a frame: connected by PostgreSQL, and by Redis. */
export async function measureFleet(size: FleetSize): Promise<readonly string[]> {
  const { instances, sockets, perSecond, seconds } = size;
  const redis = await startRedis();
  try {
    return [
      `${instances} instances, ${sockets} sockets of as many users, ${perSecond} notifications a second for ${seconds} seconds, each for one user at random`,
      ...(await measure("PostgreSQL", "", size)),
      ...(await measure("Redis", redis.url, size)),
    ];
  } finally {
    await redis.stop();
  }
}

async function measure(name: string, redisUrl: string, { instances, sockets, perSecond, seconds }: FleetSize): Promise<readonly string[]> {
  const setting = await PostgresSetting.open();
  // Makes the tables.
  await setting.belfry("public", 1);
  const fleet = Array.from({ length: instances }, () => new LoadProcess("./fleet-instance.ts", [setting.url, redisUrl]));
  const clients = new LoadProcess("./fleet-sockets.ts");
  const ask = <Reply>(one: LoadProcess, task: FleetTask) => one.ask<Reply>(task);
  try {
    const ports: number[] = [];
    for (const one of fleet) {
      ports.push((await ask<{ readonly port: number }>(one, { listen: true })).port);
    }
    const userIds = Array.from({ length: sockets }, (_, number) => `user ${number}`);
    await clients.ask({ open: { ports, userIds } } satisfies SocketsTask);
    const each = Math.ceil((perSecond * seconds) / instances);
    const everyMs = (seconds * 1_000) / each;
    const run = async (count: number) => {
      const answers = await Promise.all(
        fleet.map((one) => {
          const chosen = Array.from({ length: count }, () => userIds[Math.floor(Math.random() * sockets)] ?? "");
          return ask<{ readonly committed: Timed }>(one, { create: { userIds: chosen, everyMs } });
        }),
      );
      const { arrived } = await clients.ask<{ readonly arrived: Timed }>({ expect: count * instances } satisfies SocketsTask);
      return waits(
        answers.flatMap(({ committed }) => committed),
        arrived,
      );
    };
    // Code that runs for the first time is slow.
    await run(Math.min(each, WARM_UP));
    const received = () =>
      Promise.all(fleet.map(async (one) => (await ask<{ readonly received: number }>(one, { signals: true })).received));
    await received();
    const waited = await run(each);
    return linesOf(name, { waited, created: each * instances, received: await received() });
  } finally {
    clients.stop();
    for (const one of fleet) {
      one.stop();
    }
    await setting.close();
  }
}

const WARM_UP = 50;

/** How long it was from each commit to its frame; a frame that came before the commit was known took no time. @throws Error if a frame is missing */
function waits(committed: Timed, arrived: Timed): readonly number[] {
  const arrivedMs = new Map(arrived);
  return committed.map(([title, committedMs]) => {
    const frameMs = arrivedMs.get(title);
    if (frameMs === undefined) {
      throw new Error(`The frame of ${title} did not come.`);
    }
    return Math.max(0, frameMs - committedMs);
  });
}

interface Measured {
  readonly waited: readonly number[];
  readonly created: number;
  /** By instance. */
  readonly received: readonly number[];
}

function linesOf(name: string, { waited, created, received }: Measured): readonly string[] {
  const mean = received.reduce((sum, count) => sum + count, 0) / received.length;
  const ofOthers = (created * (received.length - 1)) / received.length;
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(waited, share).toFixed(1));
  return [
    `${name}: an instance received ${Math.min(...received)} to ${Math.max(...received)} signals of the ${Math.round(ofOthers)} that others sent, ` +
      `${((100 * mean) / ofOthers).toFixed(0)} % (its share is ${(100 / received.length).toFixed(0)} %)`,
    `${name}: from the commit to the frame p50 ${p50} ms, p99 ${p99} ms`,
  ];
}
