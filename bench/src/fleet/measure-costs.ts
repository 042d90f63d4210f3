import { type FleetCosts, fitCosts, type Kind, type Observation, type TransportCosts, type Work } from "@belfry/fleet-model";
import type { RedisServer } from "@belfry/redis-launcher";
import { FLEET_FILE, thisMachine, writeResults } from "../harness/results.ts";
import { deliveriesBy } from "./deliveries.ts";
import { namesOf } from "./fleet.ts";
import { type Connection, type FleetRun, type InstanceRun, RunningFleet } from "./running-fleet.ts";

/** Users with a socket each. */
const SOCKETS = 1_000;
const PER_SECOND = 50;
const SECONDS = 15;
const ROUNDS = 2;
/** A socket that is idle is asked twice a minute whether its client is still there. */
const IDLE_SECONDS = 30;
const DELIVERIES = 10_000;

/** What costs the servers something. Who created a notification reads nothing of it, and PostgreSQL carries no signals beside Redis. */
const COST_DATABASE: readonly Kind[] = ["processSeconds", "socketSeconds", "creates", "otherFrames"];
const COST_REDIS: readonly Kind[] = ["processSeconds", "creates", "signals"];

const CONNECTED = namesOf(SOCKETS);
const AWAY = CONNECTED.map((name) => `${name}, away`);

/** Runs of which each does some kinds of work and not others, so that their costs can be told apart. */
interface CostRuns {
  readonly runs: readonly FleetRun[];
  readonly bytes: FleetCosts["bytes"];
}

/** Measures what each kind of work costs, with one and two instances. */
export async function measureCosts(redis: RedisServer): Promise<FleetCosts> {
  const overPostgres = await costRuns({ name: "PostgreSQL", redis: null });
  const overRedis = await costRuns({ name: "Redis", redis });
  const { workerMicros, databaseMicros } = await deliveriesBy(1, DELIVERIES);
  await writeResults(FLEET_FILE, { PostgreSQL: overPostgres.runs, Redis: overRedis.runs });
  return {
    machine: thisMachine(),
    transports: {
      PostgreSQL: transportCosts(overPostgres.runs, [...COST_DATABASE, "signals"]),
      Redis: transportCosts(overRedis.runs, COST_DATABASE),
    },
    delivery: { worker: workerMicros / DELIVERIES, database: databaseMicros / DELIVERIES },
    bytes: overRedis.bytes,
  };
}

async function costRuns(connection: Connection): Promise<CostRuns> {
  const alone = await aloneRuns(connection);
  return { ...alone, runs: [...alone.runs, ...(await besideRuns(connection))] };
}

/** One instance: what it costs to be there, to create, to hold sockets, and to write frames of what it created itself. */
async function aloneRuns(connection: Connection): Promise<CostRuns> {
  const fleet = await RunningFleet.open(1, connection);
  try {
    await fleet.warmUp(AWAY);
    const empty = await fleet.measure({ userIds: [], perSecond: 0, seconds: SECONDS });
    const creating = await fleet.measure({ userIds: AWAY, perSecond: PER_SECOND, seconds: SECONDS });
    await fleet.connect(CONNECTED);
    const idle = await fleet.measure({ userIds: [], perSecond: 0, seconds: IDLE_SECONDS });
    await fleet.warmUp(CONNECTED);
    const writing = await fleet.measure({ userIds: CONNECTED, perSecond: PER_SECOND, seconds: SECONDS });
    const [before, after] = [creating, idle].map(({ instances }) => instances[0]?.rssBytes ?? Number.NaN) as [number, number];
    return {
      runs: [empty, creating, idle, writing],
      bytes: { process: Math.round(before), socket: Math.round((after - before) / SOCKETS) },
    };
  } finally {
    await fleet.close();
  }
}

/** Two instances of which one creates: what it costs the other one to hear of it, and to write frames of it. All inboxes are in one shard. */
async function besideRuns(connection: Connection): Promise<readonly FleetRun[]> {
  const fleet = await RunningFleet.open(2, { ...connection, shards: 1 });
  const load = { perSecond: PER_SECOND, seconds: SECONDS, writers: 1 };
  const ofOther = CONNECTED.filter((_, at) => at % 2 === 1);
  const runs: FleetRun[] = [];
  try {
    await fleet.connect(CONNECTED);
    await fleet.warmUp(CONNECTED);
    for (let round = 0; round < ROUNDS; round += 1) {
      runs.push(await fleet.measure({ ...load, userIds: AWAY }), await fleet.measure({ ...load, userIds: ofOther }));
    }
    return runs;
  } finally {
    await fleet.close();
  }
}

function transportCosts(runs: readonly FleetRun[], databaseKinds: readonly Kind[]): TransportCosts {
  const observed = (micros: (run: FleetRun) => number) => runs.map((run): Observation => ({ work: workDone(run), micros: micros(run) }));
  const ofInstances = runs.flatMap(({ seconds, instances }) =>
    instances.map((one): Observation => ({ work: workDone({ seconds, instances: [one] }), micros: one.cpuMicros })),
  );
  return {
    web: fitCosts(ofInstances),
    database: fitCosts(
      observed(({ databaseMicros }) => databaseMicros ?? 0),
      databaseKinds,
    ),
    redis: fitCosts(
      observed(({ redisMicros }) => redisMicros),
      COST_REDIS,
    ),
  };
}

/** The work that was done, as the instances counted it. */
function workDone({ seconds, instances }: Pick<FleetRun, "seconds" | "instances">): Work {
  const sum = (of: (one: InstanceRun) => number) => instances.reduce((total, one) => total + of(one), 0);
  return {
    processSeconds: seconds * instances.length,
    socketSeconds: seconds * sum(({ sockets }) => sockets),
    creates: sum(({ created }) => created),
    signals: sum(({ signals }) => signals),
    ownFrames: sum(({ ownFrames }) => ownFrames),
    otherFrames: sum(({ otherFrames }) => otherFrames),
  };
}
