import {
  type DeliveryCost,
  type FleetCosts,
  fitCosts,
  type Kind,
  type Observation,
  type TransportCosts,
  type Work,
} from "@belfry/fleet-model";
import type { RedisServer } from "@belfry/redis-launcher";
import { FLEET_FILE, thisMachine, writeResults } from "../harness/results.ts";
import { deliveriesBy } from "./deliveries.ts";
import { namesOf } from "./fleet.ts";
import { type Connection, type FleetRun, type InstanceRun, RunningFleet } from "./running-fleet.ts";

const ROUNDS = 2;
/** A socket that is idle is asked twice a minute whether its client is still there. */
const IDLE_SECONDS = 30;
const DELIVERIES = 10_000;

/** What costs the servers something. Who created a notification reads nothing of it, and PostgreSQL carries no signals beside Redis. */
const COST_PROCESSES: readonly Kind[] = ["processSeconds", "socketSeconds", "creates", "signals", "ownFrames", "otherFrames"];
const COST_DATABASE: readonly Kind[] = ["processSeconds", "socketSeconds", "creates", "otherFrames"];
const COST_REDIS: readonly Kind[] = ["seconds", "processSeconds", "creates", "signals"];

/** How large runs are. */
export interface ModelLoad {
  /** Of as many users. */
  readonly sockets: number;
  readonly perSecond: number;
  readonly seconds: number;
}

/** Runs of which each does some kinds of work and not others, so that their costs can be told apart. */
interface CostRuns {
  readonly runs: readonly FleetRun[];
  readonly bytes: FleetCosts["bytes"];
}

/** Measures what each kind of work costs, with one and two instances. */
export async function measureCosts(load: ModelLoad, redis: RedisServer): Promise<FleetCosts> {
  const overPostgres = await costRuns(load, { name: "PostgreSQL", redis: null });
  const overRedis = await costRuns(load, { name: "Redis", redis });
  const delivery = { alone: await deliveryCost(1), shared: await deliveryCost(2) };
  await writeResults(FLEET_FILE, { PostgreSQL: overPostgres.runs, Redis: overRedis.runs });
  return {
    machine: thisMachine(),
    load: { sockets: load.sockets, perSecond: load.perSecond },
    transports: {
      PostgreSQL: transportCosts(overPostgres.runs, [...COST_DATABASE, "signals"]),
      Redis: transportCosts(overRedis.runs, COST_DATABASE),
    },
    delivery,
    bytes: overRedis.bytes,
  };
}

async function costRuns(load: ModelLoad, connection: Connection): Promise<CostRuns> {
  const alone = await aloneRuns(load, connection);
  return { ...alone, runs: [...alone.runs, ...(await besideRuns(load, connection))] };
}

/** What a delivery costs with so many workers. */
export async function deliveryCost(workers: number): Promise<DeliveryCost> {
  const { workerMicros, databaseMicros } = await deliveriesBy(workers, DELIVERIES);
  return { worker: workerMicros / DELIVERIES, database: databaseMicros / DELIVERIES };
}

/** Users who have no socket. */
function awayOf(connected: readonly string[]): readonly string[] {
  return connected.map((userId) => `${userId}, away`);
}

/** One instance: what it costs to be there, to create, to hold sockets, and to write frames of what it created itself. */
async function aloneRuns({ sockets, perSecond, seconds }: ModelLoad, connection: Connection): Promise<CostRuns> {
  const fleet = await RunningFleet.open(1, connection);
  const connected = namesOf(sockets);
  const away = awayOf(connected);
  try {
    await fleet.warmUp(away);
    const empty = await fleet.measure({ userIds: [], perSecond: 0, seconds });
    const creating = await fleet.measure({ userIds: away, perSecond, seconds });
    await fleet.connect(connected);
    const idle = await fleet.measure({ userIds: [], perSecond: 0, seconds: IDLE_SECONDS });
    await fleet.warmUp(connected);
    const writing = await fleet.measure({ userIds: connected, perSecond, seconds });
    const [before, after] = [creating, idle].map(({ instances }) => instances[0]);
    const held = ((after?.heldBytes ?? Number.NaN) - (before?.heldBytes ?? Number.NaN)) / sockets;
    return { runs: [empty, creating, idle, writing], bytes: { process: before?.rssBytes ?? Number.NaN, socket: Math.round(held) } };
  } finally {
    await fleet.close();
  }
}

/** Two instances of which one creates: what it costs the other one to hear of it, and to write frames of it. All inboxes are in one shard. */
async function besideRuns({ sockets, perSecond, seconds }: ModelLoad, connection: Connection): Promise<readonly FleetRun[]> {
  const fleet = await RunningFleet.open(2, { ...connection, shards: 1 });
  const connected = namesOf(sockets);
  const [away, ofOther] = [awayOf(connected), connected.filter((_, at) => at % 2 === 1)];
  const load = { perSecond, seconds, writers: 1 };
  const runs: FleetRun[] = [];
  try {
    await fleet.connect(connected);
    await fleet.warmUp(connected);
    for (let round = 0; round < ROUNDS; round += 1) {
      runs.push(await fleet.measure({ ...load, userIds: away }), await fleet.measure({ ...load, userIds: ofOther }));
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
    web: fitCosts(ofInstances, COST_PROCESSES),
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
    seconds,
    processSeconds: seconds * instances.length,
    socketSeconds: seconds * sum(({ sockets }) => sockets),
    creates: sum(({ created }) => created),
    signals: sum(({ signals }) => signals),
    ownFrames: sum(({ ownFrames }) => ownFrames),
    otherFrames: sum(({ otherFrames }) => otherFrames),
  };
}
