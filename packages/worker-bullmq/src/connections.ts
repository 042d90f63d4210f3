import { Cluster, Redis, type RedisOptions } from "ioredis";

/** Where Redis is: an address such as `redis://127.0.0.1:6379`, options of ioredis, or a client of it, which is copied and stays the host's. */
export type RedisConnection = string | RedisOptions | Redis | Cluster;

/** How long Redis may leave a command of the one who adds jobs unanswered. */
const COMMAND_MS = 2_000;

/** How Belfry uses a connection; the rest is the host's. */
interface Settings {
  readonly maxRetriesPerRequest: number | null;
  readonly enableOfflineQueue?: boolean;
  readonly commandTimeout?: number;
}

/** BullMQ waits for Redis as long as it takes. */
const WAITING: Settings = { maxRetriesPerRequest: null };
/** Whoever adds jobs is told soon that Redis is away. */
const IMPATIENT: Settings = { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: COMMAND_MS };

/** Connects for BullMQ's workers. */
export function waitingClient(connection: RedisConnection): Redis | Cluster {
  return connected(connection, WAITING);
}

/** Connects for adding jobs: a command fails at once while Redis is away. */
export function impatientClient(connection: RedisConnection): Redis | Cluster {
  return connected(connection, IMPATIENT);
}

function connected(connection: RedisConnection, own: Settings): Redis | Cluster {
  if (connection instanceof Cluster) {
    const { enableOfflineQueue = true, ...settings } = own;
    return connection.duplicate([], { enableOfflineQueue, redisOptions: { ...usual(connection.options.redisOptions ?? {}), ...settings } });
  }
  if (connection instanceof Redis) {
    return connection.duplicate(own);
  }
  return typeof connection === "string" ? new Redis(connection, own) : new Redis({ ...usual(connection), ...own });
}

/** BullMQ reads answers as Redis gives them. */
function usual<Options extends Pick<RedisOptions, "replyMapping">>({
  replyMapping: _,
  ...options
}: Options): Omit<Options, "replyMapping"> {
  return options;
}

/** What went wrong, without the command that it went wrong with: that of a login has the password in it. */
export function withoutCommand(error: unknown): Error {
  return new Error(error instanceof Error ? error.message : "Redis answered with something that is no error.");
}
