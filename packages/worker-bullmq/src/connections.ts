import { type Cluster, Redis, type RedisOptions } from "ioredis";

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

const NO_PREFIX = "connection without keyPrefix: BullMQ names keys itself, and begins them with the option prefix";

/** Connects for BullMQ's workers. */
export function waitingClient(connection: RedisConnection): Redis | Cluster {
  return connected(connection, WAITING);
}

/** Connects for adding jobs: a command fails at once while Redis is away. */
export function impatientClient(connection: RedisConnection): Redis | Cluster {
  return connected(connection, IMPATIENT);
}

function connected(connection: RedisConnection, own: Settings): Redis | Cluster {
  if (typeof connection === "string") {
    return new Redis(connection, own);
  }
  if (!isClient(connection)) {
    return new Redis({ ...usual(connection), ...own });
  }
  if (isCluster(connection)) {
    const { enableOfflineQueue = true, ...settings } = own;
    return connection.duplicate([], { enableOfflineQueue, redisOptions: { ...usual(connection.options.redisOptions ?? {}), ...settings } });
  }
  return connection.duplicate(own);
}

/** What is wrong with a connection; null if nothing is known to be. */
export function wrongConnection(connection: string | object): string | null {
  if (typeof connection === "string") {
    return /[?&]keyPrefix=/i.test(connection) ? NO_PREFIX : null;
  }
  const isOfIoredis = "defineCommand" in connection && typeof connection.defineCommand === "function";
  if ("url" in connection || ("duplicate" in connection && !isOfIoredis)) {
    return "connection as an address of Redis, options of ioredis (which have no url) or a client of ioredis";
  }
  const options = "options" in connection ? connection.options : connection;
  return hasPrefix(options) || (isObject(options) && "redisOptions" in options && hasPrefix(options.redisOptions)) ? NO_PREFIX : null;
}

function hasPrefix(options: unknown): boolean {
  return isObject(options) && "keyPrefix" in options && Boolean(options.keyPrefix);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** A client is known by what it can do: an app may have more than one copy of ioredis. */
function isClient(connection: RedisOptions | Redis | Cluster): connection is Redis | Cluster {
  return "duplicate" in connection && typeof connection.duplicate === "function";
}

function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster;
}

/** Whether a command would be sent now. A cluster may be usable before it says that it is ready. */
export function isConnected({ status }: Redis | Cluster): boolean {
  return status === "ready" || status === "connect";
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
