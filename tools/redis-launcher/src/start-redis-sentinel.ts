import { ask, until } from "./ask.ts";
import { type RedisServer, startRedis } from "./start-redis.ts";

/** A server, its replica, and a sentinel that makes the replica the server when the other one is away. */
export interface RedisSentinel {
  /** Where the server is found: `redis+sentinel://…`. */
  readonly url: string;
  /** The server at the beginning. */
  readonly first: RedisServer;
  /** The replica at the beginning. */
  readonly second: RedisServer;
  /** Kills all of them. */
  stop(): Promise<void>;
}

const NAME = "belfry";
/** A server that answers nothing for so long is away. */
const DOWN_AFTER_MS = 2_000;

/** Starts a server, a replica and a sentinel on the loopback interface. */
export async function startRedisSentinel(): Promise<RedisSentinel> {
  const servers: RedisServer[] = [];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const start = async (...given: Parameters<typeof startRedis>) => {
    const server = await startRedis(...given);
    servers.push(server);
    return server;
  };
  try {
    const first = await start({ settings: { "repl-diskless-sync-delay": "0" } });
    const second = await start();
    await ask(second, "REPLICAOF", "127.0.0.1", String(first.port));
    await until("the replica had all", async () => (await ask(first, "INFO", "replication")).includes("state=online"));
    const sentinel = await start({
      sentinel: [
        `sentinel monitor ${NAME} 127.0.0.1 ${first.port} 1`,
        `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
        `sentinel failover-timeout ${NAME} 3000`,
      ],
    });
    const knows = async () => (await ask(sentinel, "SENTINEL", "REPLICAS", NAME)).includes(String(second.port));
    await until("the sentinel knew the replica", knows);
    return { url: `redis+sentinel://127.0.0.1:${sentinel.port}/${NAME}`, first, second, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
