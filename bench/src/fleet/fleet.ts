import { startRedis } from "@belfry/redis-launcher";
import { percentile } from "../harness/statistics.ts";
import { type Connection, type FleetRun, RunningFleet } from "./running-fleet.ts";

/** How large fleets are, and how much is created in them. */
export interface FleetSize {
  /** How many instances there are, in one run after the other. */
  readonly instances: readonly number[];
  readonly sockets: number;
  /** How many notifications a second, over all instances. */
  readonly perSecond: number;
  readonly seconds: number;
}

/** Measures what instances hear of each other, how long it is from a commit to a frame, and the CPU: connected by PostgreSQL, and by Redis. */
export async function measureFleet(size: FleetSize, print: (lines: readonly string[]) => void): Promise<void> {
  const { instances, sockets, perSecond, seconds } = size;
  const redis = await startRedis();
  try {
    print([`${sockets} sockets of as many users, ${perSecond} notifications a second for ${seconds} seconds, each for one user at random`]);
    for (const count of instances) {
      for (const connection of [
        { name: "PostgreSQL", redis: null },
        { name: "Redis", redis },
      ] satisfies Connection[]) {
        print(linesOf(connection.name, await runOf(count, connection, size)));
      }
    }
  } finally {
    await redis.stop();
  }
}

/** The names of so many users. */
export function namesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, number) => `user ${number}`);
}

/** Runs a fleet in which all instances create, and serve their part of the sockets. */
export async function runOf(instances: number, connection: Connection, size: Omit<FleetSize, "instances">): Promise<FleetRun> {
  const { sockets, perSecond, seconds } = size;
  const userIds = namesOf(sockets);
  const fleet = await RunningFleet.open(instances, connection);
  try {
    await fleet.connect(userIds);
    await fleet.warmUp(userIds);
    return await fleet.measure({ userIds, perSecond, seconds });
  } finally {
    await fleet.close();
  }
}

/** What a run came to. */
export function linesOf(transport: string, { seconds, instances, databaseMicros, redisMicros, waitedMs }: FleetRun): readonly string[] {
  const name = `${instances.length} instance${instances.length === 1 ? "" : "s"}, ${transport}`;
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(waitedMs, share).toFixed(1));
  const cores = (micros: number) => `${((100 * micros) / (1e6 * seconds)).toFixed(1)} %`;
  const used = instances.map(({ cpuMicros }) => cpuMicros);
  const servers = [
    databaseMicros === null ? "PostgreSQL is elsewhere" : `PostgreSQL ${cores(databaseMicros)}`,
    ...(redisMicros === 0 ? [] : [`Redis ${cores(redisMicros)}`]),
  ];
  return [
    ...heardLines(name, instances),
    `${name}: from the commit to the frame p50 ${p50} ms, p99 ${p99} ms`,
    `${name}: CPU, of a core: an instance ${cores(Math.min(...used))} to ${cores(Math.max(...used))}, ${servers.join(", ")}`,
  ];
}

/** What instances heard; nothing of one alone, which has no others. */
function heardLines(name: string, instances: FleetRun["instances"]): readonly string[] {
  if (instances.length === 1) {
    return [];
  }
  const heard = instances.map(({ signals }) => signals);
  const created = instances.reduce((sum, one) => sum + one.created, 0);
  const ofOthers = (created * (heard.length - 1)) / heard.length;
  const mean = heard.reduce((sum, count) => sum + count, 0) / heard.length;
  return [
    `${name}: an instance received ${Math.min(...heard)} to ${Math.max(...heard)} signals of the ${Math.round(ofOthers)} that others sent, ` +
      `${((100 * mean) / ofOthers).toFixed(0)} % (its share is ${(100 / heard.length).toFixed(0)} %)`,
  ];
}
