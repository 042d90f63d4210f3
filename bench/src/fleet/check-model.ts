import {
  type Cpu,
  cpuOf,
  DEFAULT_LIMITS,
  deliveryCostOf,
  type FleetCosts,
  readCosts,
  type TransportName,
  tableOf,
  workIn,
} from "@belfry/fleet-model";
import type { RedisServer } from "@belfry/redis-launcher";
import { linesOf as fleetLines, runOf } from "./fleet.ts";
import { deliveryCost, type ModelLoad } from "./measure-costs.ts";
import type { FleetRun, InstanceRun } from "./running-fleet.ts";

const WORKERS = [3, 4];

/** A prediction counts as right within this. */
const TOLERANCE = 0.25;
/** So little CPU is not compared, in shares of a core: other work on the machine changes it by more than the tolerance. */
const LEAST = 0.005;

interface Checked {
  readonly what: string;
  /** In cores, or for deliveries in microseconds for each. */
  readonly predicted: number;
  readonly measured: number;
}

/** Fleets that the costs were not measured with: in all of them every instance creates and serves sockets. */
export interface CheckedLoad extends ModelLoad {
  /** How many instances there are, in one run after the other. */
  readonly instances: readonly number[];
}

/** Runs fleets, tells of each, and in the end what the model predicted of the CPU that they used. */
export async function checkModel({ instances, ...load }: CheckedLoad, redis: RedisServer, print: Print): Promise<void> {
  const costs = await readCosts();
  const checked: Checked[] = [];
  for (const processes of instances) {
    for (const [transport, server] of [
      ["PostgreSQL", null],
      ["Redis", redis],
    ] as const) {
      const run = await runOf(processes, { name: transport, redis: server }, load);
      const ofRun = checkedRun(run, transport, costs).filter(({ measured }) => measured >= LEAST);
      print([...fleetLines(transport, run), ...ofRun.map((one) => cellsOf(one).join("  "))]);
      checked.push(...ofRun);
    }
  }
  for (const workers of WORKERS) {
    const [predicted, measured] = [deliveryCostOf(costs.delivery, workers), await deliveryCost(workers)];
    checked.push({ what: `${workers} workers, µs a delivery`, predicted: predicted.worker, measured: measured.worker });
    checked.push({ what: `${workers} workers, µs a delivery: database`, predicted: predicted.database, measured: measured.database });
  }
  print(["", ...linesOf(checked)]);
}

type Print = (lines: readonly string[]) => void;

function checkedRun(run: FleetRun, transport: TransportName, costs: FleetCosts): readonly Checked[] {
  const { seconds, instances, databaseMicros, redisMicros } = run;
  const sum = (of: (one: InstanceRun) => number) => instances.reduce((total, one) => total + of(one), 0);
  const [created, sockets, web] = [sum((one) => one.created), sum((one) => one.sockets), sum(({ cpuMicros }) => cpuMicros)];
  const fleet = { processes: instances.length, sockets, perSecond: created / seconds, online: 1, shards: DEFAULT_LIMITS.shards };
  const predicted = cpuOf(workIn(fleet, transport), costs.transports[transport]);
  const measured: Cpu = { web: web / seconds, database: (databaseMicros ?? 0) / seconds, redis: redisMicros / seconds };
  return (["web", "database", "redis"] as const).map((part) => ({
    what: `${instances.length} processes, ${transport}: ${part}`,
    predicted: predicted[part] / 1e6,
    measured: measured[part] / 1e6,
  }));
}

function isRight({ predicted, measured }: Checked): boolean {
  return Math.abs(predicted / measured - 1) <= TOLERANCE;
}

function cellsOf(one: Checked): readonly string[] {
  const ratio = (one.predicted / one.measured).toFixed(2);
  return [one.what, shown(one.predicted), shown(one.measured), `${ratio}${isRight(one) ? "" : " !"}`];
}

function linesOf(checked: readonly Checked[]): readonly string[] {
  return [
    ...tableOf(["CPU, in cores", "predicted", "measured", "ratio"], checked.map(cellsOf)),
    "",
    `${checked.filter(isRight).length} of ${checked.length} predictions are within ${100 * TOLERANCE} % of the runs.`,
  ];
}

function shown(value: number): string {
  return value < 10 ? value.toFixed(3) : value.toFixed(0);
}
