import { type DeliveryCost, type DeliveryCosts, KINDS, type TransportCosts, type TransportName, type Work } from "./costs.ts";

/** Web processes that share sockets and creates evenly. */
export interface Fleet {
  readonly processes: number;
  /** Each of another user. */
  readonly sockets: number;
  /** Notifications a second, each for one user. */
  readonly perSecond: number;
  /** The share of them whose user has a socket open. */
  readonly online: number;
  /** Into how many channels of Redis the inboxes are divided. */
  readonly shards: number;
}

/** CPU that is used in a second, in microseconds. */
export interface Cpu {
  /** Over all web processes. */
  readonly web: number;
  readonly database: number;
  readonly redis: number;
}

/** What the web processes of a fleet do in a second, all together. */
export function workIn(fleet: Fleet, transport: TransportName): Work {
  const { processes, sockets, perSecond, online } = fleet;
  const elsewhere = 1 - 1 / processes;
  return {
    seconds: 1,
    processSeconds: processes,
    socketSeconds: sockets,
    creates: perSecond,
    signals: perSecond * (transport === "Redis" ? hearersOverRedis(fleet) : processes - 1),
    ownFrames: (perSecond * online) / processes,
    otherFrames: perSecond * online * elsewhere,
  };
}

/**
 * How many processes hear of a notification that another one created: the one where its user is, and those where the user of another inbox
 * of the same shard is.
 */
function hearersOverRedis({ processes, sockets, online, shards }: Fleet): number {
  const isFollowed = 1 - (1 - 1 / shards) ** (sockets / processes);
  const concerned = online * (1 - 1 / processes);
  return concerned + (processes - 1 - concerned) * isFollowed;
}

/** The CPU of some work. */
export function cpuOf(work: Work, costs: TransportCosts): Cpu {
  const sum = (each: Work) => KINDS.reduce((total, kind) => total + work[kind] * each[kind], 0);
  return { web: sum(costs.web), database: sum(costs.database), redis: sum(costs.redis) };
}

/**
 * The CPU of a delivery with so many workers. A claim passes over what others are claiming, so a delivery costs more with two workers than with
 * one, and then less and less more: it goes by the share of the work that others have.
 */
export function deliveryCostOf({ alone, shared }: DeliveryCosts, workers: number): DeliveryCost {
  const more = (1 - 1 / workers) / (1 - 1 / 2);
  const at = (part: keyof DeliveryCost) => alone[part] + more * (shared[part] - alone[part]);
  return { worker: at("worker"), database: at("database") };
}
