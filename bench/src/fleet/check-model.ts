import { type Cpu, cpuOf, DEFAULT_LIMITS, type FleetCosts, type TransportName, tableOf, workIn } from "@belfry/fleet-model";
import type { RedisServer } from "@belfry/redis-launcher";
import { deliveriesBy } from "./deliveries.ts";
import { linesOf as fleetLines, runOf } from "./fleet.ts";
import type { FleetRun } from "./running-fleet.ts";

/** Fleets that the costs were not measured with: in all of them every instance creates and serves sockets. */
const PROCESSES = [1, 2, 4, 6];
const SOCKETS = 1_000;
const PER_SECOND = 60;
const SECONDS = 15;
const WORKERS = [2, 4];
const DELIVERIES = 10_000;

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

/** Runs fleets, tells of each, and in the end what the model predicted of the CPU that they used. */
export async function checkModel(costs: FleetCosts, redis: RedisServer, print: Print): Promise<void> {
  const checked: Checked[] = [];
  for (const processes of PROCESSES) {
    for (const [transport, server] of [
      ["PostgreSQL", null],
      ["Redis", redis],
    ] as const) {
      const run = await runOf(processes, { name: transport, redis: server }, { sockets: SOCKETS, perSecond: PER_SECOND, seconds: SECONDS });
      print(fleetLines(transport, run));
      checked.push(...checkedRun(run, transport, costs));
    }
  }
  for (const workers of WORKERS) {
    const { workerMicros, databaseMicros } = await deliveriesBy(workers, DELIVERIES);
    checked.push({ what: `${workers} workers, µs a delivery`, predicted: costs.delivery.worker, measured: workerMicros / DELIVERIES });
    checked.push({
      what: `${workers} workers, µs a delivery: database`,
      predicted: costs.delivery.database,
      measured: databaseMicros / DELIVERIES,
    });
  }
  print(["", ...linesOf(checked)]);
}

type Print = (lines: readonly string[]) => void;

function checkedRun(run: FleetRun, transport: TransportName, costs: FleetCosts): readonly Checked[] {
  const { seconds, instances, databaseMicros, redisMicros } = run;
  const created = instances.reduce((sum, one) => sum + one.created, 0);
  const fleet = { processes: instances.length, sockets: SOCKETS, perSecond: created / seconds, online: 1, shards: DEFAULT_LIMITS.shards };
  const predicted = cpuOf(workIn(fleet, transport), costs.transports[transport]);
  const web = instances.reduce((sum, one) => sum + one.cpuMicros, 0);
  const measured: Cpu = { web: web / seconds, database: (databaseMicros ?? 0) / seconds, redis: redisMicros / seconds };
  return (["web", "database", "redis"] as const).map((part) => ({
    what: `${instances.length} processes, ${transport}: ${part}`,
    predicted: predicted[part] / 1e6,
    measured: measured[part] / 1e6,
  }));
}

function linesOf(checked: readonly Checked[]): readonly string[] {
  const compared = checked.filter(({ measured }) => measured >= LEAST);
  const isRight = ({ predicted, measured }: Checked) => Math.abs(predicted / measured - 1) <= TOLERANCE;
  const cells = compared.map((one) => [
    one.what,
    shown(one.predicted),
    shown(one.measured),
    `${(one.predicted / one.measured).toFixed(2)}${isRight(one) ? "" : " !"}`,
  ]);
  const right = compared.filter(isRight).length;
  return [
    ...tableOf(["CPU, in cores", "predicted", "measured", "ratio"], cells),
    "",
    `${right} of ${compared.length} predictions are within ${100 * TOLERANCE} % of the runs.`,
  ];
}

function shown(value: number): string {
  return value < 10 ? value.toFixed(3) : value.toFixed(0);
}
