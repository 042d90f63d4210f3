import { BelfryError } from "@belfry/core";
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from "ioredis";

/**
 * Where Redis is: a URL, several, or a client of the host, whose settings are taken over.
 *
 * | form                                                          | what it is                                     |
 * | ------------------------------------------------------------- | ---------------------------------------------- |
 * | `redis://user:password@host:6379/0`, `rediss://` over TLS      | one server                                     |
 * | `redis://a:6379,redis://b:6379`, or a list of such URLs        | nodes of a cluster; the others are asked for   |
 * | `redis+sentinel://user:password@a:26379,b:26379/name`          | sentinels, and the name of the server they watch |
 */
export type RedisSource = string | readonly string[] | Redis | Cluster;

/** A client of one server or of a cluster. */
export type RedisClient = Redis | Cluster;

/** How Belfry uses a connection; the rest is the source's. */
export type ConnectionSettings = Pick<
  RedisOptions,
  | "connectionName"
  | "enableOfflineQueue"
  | "maxRetriesPerRequest"
  | "commandTimeout"
  | "socketTimeout"
  | "connectTimeout"
  | "autoResubscribe"
  | "autoResendUnfulfilledCommands"
>;

/** Makes clients of one Redis, each with connections of its own that are not opened yet. */
export type MakeClient = (settings: ConnectionSettings) => RedisClient;

const MAX_NODES = 100;

const HINT = 'Pass a URL such as "redis://user:password@host:6379", a list of them for a cluster, or a client of ioredis';

/** Reads where Redis is. @throws BelfryError `CONFIGURATION`, which shows nothing of a URL but its scheme */
export function readSource(source: unknown): MakeClient {
  if (source instanceof Redis) {
    return (settings) => source.duplicate({ ...settings, lazyConnect: true });
  }
  if (source instanceof Cluster) {
    return (settings) => source.duplicate([], clusterOptions(source.options.redisOptions ?? {}, settings));
  }
  const given: readonly unknown[] = Array.isArray(source) ? source : [source];
  const texts = given.flatMap((one) => (typeof one === "string" ? one.split(",") : [one])).map(trimmed);
  if (texts.length === 0 || texts.length > MAX_NODES || !texts.every((text) => typeof text === "string" && text !== "")) {
    throw wrong(`got no address of Redis. ${HINT}.`);
  }
  const urls = texts as readonly string[];
  if (/^rediss?\+sentinel:/i.test(urls[0] ?? "")) {
    return overSentinels(urls);
  }
  const nodes = urls.map(readUrl);
  const [first = {}] = nodes;
  if (nodes.length === 1) {
    return (settings) => new Redis({ ...first, ...settings, lazyConnect: true });
  }
  const shared = nodes.find(({ password }) => password !== undefined) ?? first;
  if (nodes.some(({ db }) => db !== undefined && db !== 0)) {
    throw wrong("takes no database of a cluster: it has only number 0.");
  }
  const { username, password, tls } = shared;
  const common = defined({ username, password, tls });
  const startNodes = nodes.map(({ host, port }) => defined({ host, port }));
  return (settings) => new Cluster(startNodes, clusterOptions(common, settings));
}

type NodeOptions = Pick<RedisOptions, "host" | "port" | "username" | "password" | "db" | "tls">;

type ClusterNodeOptions = NonNullable<ClusterOptions["redisOptions"]>;

function clusterOptions(redisOptions: ClusterNodeOptions, { enableOfflineQueue, ...settings }: ConnectionSettings) {
  return {
    lazyConnect: true,
    // Belfry hears each node over a connection of its own.
    shardedSubscribers: false,
    // What is for a node that is away is lost at once, and holds up nothing else.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    ...defined({ enableOfflineQueue }),
    redisOptions: { ...redisOptions, ...settings, replyMapping: "legacy" as const },
  };
}

function readUrl(text: string): NodeOptions {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === "") {
    const [scheme] = /^[a-z+]{1,20}:/i.exec(text) ?? ["a text"];
    throw wrong(`got ${scheme} as an address of Redis. ${HINT}.`);
  }
  if (url.search !== "" || url.hash !== "") {
    throw wrong("takes no settings in the address of Redis. Pass a client of ioredis that has them.");
  }
  const db = url.pathname.replace(/^\//, "");
  if (!/^\d{0,5}$/.test(db)) {
    throw wrong("takes after the host of Redis only the number of a database, such as redis://host:6379/0.");
  }
  return defined({
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? undefined : Number(url.port),
    username: url.username === "" ? undefined : decoded(url.username),
    password: url.password === "" ? undefined : decoded(url.password),
    db: db === "" ? undefined : Number(db),
    tls: url.protocol === "rediss:" ? {} : undefined,
  });
}

const SENTINEL_PORT = 26_379;

/** `redis+sentinel://user:password@a:26379,b:26379/name`, split at its commas. */
function overSentinels(parts: readonly string[]): MakeClient {
  const isTls = /^rediss/i.test(parts[0] ?? "");
  const [hosts = [], end = ""] = splitPath(parts.map((part) => part.replace(/^rediss?\+sentinel:\/\//i, "")));
  const [name = "", db = "0"] = end.split("/");
  const read = hosts.map((host) => readUrl(`redis://${host}`));
  if (name === "" || !/^\d{1,5}$/.test(db)) {
    throw wrong("needs after the sentinels the name of the server that they watch: redis+sentinel://host:26379/name.");
  }
  const { username, password } = read.find((one) => one.password !== undefined) ?? {};
  const sentinels = read.map(({ host = "", port = SENTINEL_PORT }) => ({ host, port }));
  const tls = isTls ? { tls: {}, enableTLSForSentinelMode: true } : {};
  const options = { sentinels, name: decoded(name), db: Number(db), ...tls, ...defined({ username, password }) };
  return (settings) => new Redis({ ...options, ...settings, lazyConnect: true });
}

/** Takes the path off the last of several hosts. */
function splitPath(hosts: readonly string[]): readonly [hosts: readonly string[], path: string] {
  const last = hosts.at(-1) ?? "";
  const [host = "", ...path] = last.split("/");
  return [[...hosts.slice(0, -1), host], path.join("/")];
}

function trimmed(value: unknown): unknown {
  return typeof value === "string" ? value.trim() : value;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong("got an address of Redis whose user, password or name is not encoded as URLs have it (% as %25).");
  }
}

/** An object without its members that are undefined. */
function defined<Members extends object>(members: Members): { [Name in keyof Members]: Exclude<Members[Name], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;
}

function wrong(what: string): BelfryError {
  return new BelfryError("CONFIGURATION", `redisTransport ${what}`);
}
