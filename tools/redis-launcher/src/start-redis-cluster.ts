import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { freePort, type RedisServer, startRedis } from "./start-redis.ts";

/** Servers that share the slots of one cluster, without replicas. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** Kills all of them. */
  stop(): Promise<void>;
}

const NODES = 3;

/** Starts a cluster of three servers on the loopback interface. It takes a few seconds, until they know each other. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let count = 0; count < NODES; count += 1) {
      nodes.push(await startRedis({ settings: { "cluster-enabled": "yes", "cluster-port": String(await freePort()) } }));
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await promisify(execFile)("redis-cli", ["--cluster", "create", ...addresses, "--cluster-yes"]);
    return { nodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
