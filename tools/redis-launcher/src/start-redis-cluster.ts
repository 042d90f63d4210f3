import { ask, until } from "./ask.ts";
import { freePort, type RedisServer, startRedis } from "./start-redis.ts";

/** Servers that share the slots of one cluster, without replicas. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** The node that has the slot of a key. */
  nodeOf(key: string): Promise<RedisServer>;
  /** Resolves once each node takes part, also after it was started again: that takes two seconds. */
  ready(): Promise<void>;
  /** Kills all of them. */
  stop(): Promise<void>;
}

const NODES = 3;
const SLOTS = 16_384;

/**
 * Starts a cluster of three servers on the loopback interface. It takes two seconds, since a server that has just started waits that long
 * before it takes part. The others go on while one is away.
 */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const busPorts: number[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let count = 0; count < NODES; count += 1) {
      const busPort = await freePort();
      busPorts.push(busPort);
      nodes.push(await startNode(busPort));
    }
    await join(nodes, busPorts);
    const firstSlots = nodes.map((_, at) => firstSlotOf(at));
    const nodeOf = async (key: string) => {
      const slot = Number(await ask(required(nodes[0]), "CLUSTER", "KEYSLOT", key));
      return required(nodes[firstSlots.findLastIndex((first) => first <= slot)]);
    };
    return { nodes, nodeOf, ready: () => takePart(nodes), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startNode(busPort: number): Promise<RedisServer> {
  return startRedis({ settings: { "cluster-enabled": "yes", "cluster-port": String(busPort), "cluster-require-full-coverage": "no" } });
}

/** Gives each node its part of the slots, and lets them meet. */
async function join(nodes: readonly RedisServer[], busPorts: readonly number[]): Promise<void> {
  for (const [at, node] of nodes.entries()) {
    await ask(node, "CLUSTER", "ADDSLOTSRANGE", String(firstSlotOf(at)), String(firstSlotOf(at + 1) - 1));
  }
  for (const [at, { port }] of nodes.entries()) {
    await ask(required(nodes[0]), "CLUSTER", "MEET", "127.0.0.1", String(port), String(busPorts[at]));
  }
  await takePart(nodes);
}

/** Waits until each node knows who has which slots. */
async function takePart(nodes: readonly RedisServer[]): Promise<void> {
  const isReady = async (node: RedisServer) => {
    const info = await ask(node, "CLUSTER", "INFO");
    return info.includes("cluster_state:ok") && info.includes(`cluster_slots_ok:${SLOTS}`);
  };
  await until("the nodes of the cluster found each other", async () => (await Promise.all(nodes.map(isReady))).every(Boolean));
}

function firstSlotOf(at: number): number {
  return Math.floor((at * SLOTS) / NODES);
}

function required(node: RedisServer | undefined): RedisServer {
  if (node === undefined) {
    throw new Error("There is no such node.");
  }
  return node;
}
