import type { DeliveryCost, DeliveryCosts, FleetCosts, TransportName } from "./costs.ts";
import { cpuOf, deliveryCostOf, type Fleet, workIn } from "./work.ts";

/** What a fleet has to carry. */
export interface Need {
  /** Open at the peak. */
  readonly sockets: number;
  /** Notifications a day, each for one user. */
  readonly perDay: number;
  /** How many times more than on average come at the peak. */
  readonly peak: number;
  /** The share of notifications whose user has a socket open. */
  readonly online: number;
  /** Deliveries over channels for each notification. */
  readonly deliveries: number;
}

/** How full machines are allowed to be. */
export interface Limits {
  /** The share of a core that is used at the peak. */
  readonly fill: number;
  /** How many clients one process that ends may cut off. */
  readonly socketsPerProcess: number;
  /** Into how many channels of Redis the inboxes are divided. */
  readonly shards: number;
}

/** What is needed. */
export interface Plan {
  readonly web: number;
  readonly workers: number;
  readonly databaseCores: number;
  readonly redisCores: number;
  /** Of web processes and workers. */
  readonly bytes: number;
}

export const DEFAULT_LIMITS: Limits = { fill: 0.6, socketsPerProcess: 20_000, shards: 65_536 };

const SECONDS_A_DAY = 86_400;
const CORE_MICROS = 1e6;
/** Nobody runs more. */
const MOST_PROCESSES = 10_000;

/** Notifications a second at the peak. */
export function perSecondAt({ perDay, peak }: Need): number {
  return (perDay * peak) / SECONDS_A_DAY;
}

/** Finds the fewest web processes that carry a need, and what else it takes; null if no number of them does. */
export function planFor(need: Need, { costs, transport, limits }: PlanOptions): Plan | null {
  const { sockets, online, deliveries } = need;
  const perSecond = perSecondAt(need);
  const of = costs.transports[transport];
  const coreMicros = CORE_MICROS * limits.fill;
  const cpuIn = (processes: number) => {
    const fleet: Fleet = { processes, sockets, perSecond, online, shards: limits.shards };
    return cpuOf(workIn(fleet, transport), of);
  };
  const fewest = Math.max(1, Math.ceil(sockets / limits.socketsPerProcess));
  for (let web = fewest; web <= MOST_PROCESSES; web += 1) {
    const cpu = cpuIn(web);
    if (cpu.web / web <= coreMicros) {
      const { workers, each } = workersFor(perSecond * deliveries, costs.delivery, coreMicros);
      return {
        web,
        workers,
        databaseCores: (cpu.database + perSecond * deliveries * each.database) / coreMicros,
        redisCores: cpu.redis / coreMicros,
        bytes: (web + workers) * costs.bytes.process + sockets * costs.bytes.socket,
      };
    }
  }
  return null;
}

/** The fewest workers that make so many deliveries a second, and what each costs then. */
function workersFor(
  deliveries: number,
  costs: DeliveryCosts,
  coreMicros: number,
): { readonly workers: number; readonly each: DeliveryCost } {
  const needed = (workers: number) => Math.ceil((deliveries * deliveryCostOf(costs, workers).worker) / coreMicros);
  let workers = needed(1);
  while (workers > 1 && workers < needed(workers)) {
    workers = needed(workers);
  }
  return { workers, each: deliveryCostOf(costs, Math.max(1, workers)) };
}

/** What a plan is made from. */
export interface PlanOptions {
  readonly costs: FleetCosts;
  readonly transport: TransportName;
  readonly limits: Limits;
}
