import { Cluster, Redis } from "ioredis";
import { expect, test } from "vitest";
import { type RedisSource, redisTransport } from "../src/index.ts";
import { readSource } from "../src/redis-source.ts";

/** What a client would connect to. */
function optionsOf(source: RedisSource) {
  const client = readSource(source)({ connectionName: "x" });
  return client.isCluster ? null : (client as Redis).options;
}

test("a URL names a server, who asks, the database and whether it is over TLS", () => {
  expect(optionsOf("redis://localhost")).toMatchObject({ host: "localhost", port: 6379, db: 0, connectionName: "x" });
  const full = optionsOf("rediss://app:p%40ss@[::1]:7000/3");
  expect(full).toMatchObject({ host: "::1", port: 7000, username: "app", password: "p@ss", db: 3, tls: {} });
});

test("sentinels name the server that they watch", () => {
  expect(optionsOf("redis+sentinel://:secret@a:26380,b/main/2")).toMatchObject({
    sentinels: [
      { host: "a", port: 26_380 },
      { host: "b", port: 26_379 },
    ],
    name: "main",
    password: "secret",
    db: 2,
  });
  expect(optionsOf("rediss+sentinel://a/main")).toMatchObject({ tls: {}, enableTLSForSentinelMode: true });
});

test("several URLs are nodes of a cluster", () => {
  for (const source of ["redis://:secret@a:7000, redis://b:7001", ["redis://:secret@a:7000", "redis://b:7001"]]) {
    const cluster = readSource(source)({});
    expect(cluster).toBeInstanceOf(Cluster);
    expect((cluster as Cluster).options).toMatchObject({ shardedSubscribers: false, redisOptions: { password: "secret" } });
  }
});

test("a client's settings are taken over for connections of its own", () => {
  const client = new Redis({ host: "a", password: "secret", lazyConnect: true });
  expect(optionsOf(client)).toMatchObject({ host: "a", password: "secret", connectionName: "x" });
});

test.each([
  ["", "no address of Redis"],
  [[], "no address of Redis"],
  [undefined, "no address of Redis"],
  [{ host: "a" }, "no address of Redis"],
  ["http://:secret@a", "got http: as an address"],
  ["localhost:6379", "got localhost: as an address"],
  ["redis://:secret@a/x", "only the number of a database"],
  ["redis://:secret@a?family=6", "no settings in the address"],
  ["redis://:secret%@a", "not encoded as URLs have it"],
  ["redis+sentinel://:secret@a:26379", "the name of the server that they watch"],
  ["redis://:secret@a/1,redis://b", "no database of a cluster"],
])("%j is refused, without a password in the error", (source, message) => {
  const make = () => redisTransport(source as RedisSource);
  expect(make).toThrow(expect.objectContaining({ code: "CONFIGURATION", message: expect.stringContaining(message) }));
  expect(make).toThrow(expect.not.objectContaining({ message: expect.stringContaining("secret") }));
});

test.each([
  [{ prefix: "" }, "prefix as a text"],
  [{ prefix: "a b" }, "prefix as a text"],
  [{ shards: 0 }, "shards as a whole number"],
  [{ shards: 1.5 }, "shards as a whole number"],
  [{ heartbeatMs: -1 }, "heartbeatMs as a whole number above 0"],
  [{ heartbeat: 1 }, "heartbeat"],
])("the options %j are refused", (options, message) => {
  const make = () => redisTransport("redis://localhost", options as object);
  expect(make).toThrow(expect.objectContaining({ code: "CONFIGURATION", message: expect.stringContaining(message) }));
});

test.each([
  [{ limit: 1 }, "name as a text"],
  [{ name: "x", limit: 0 }, "limit as a whole number"],
  [{ name: "x", limit: 1, windowS: 0.5 }, "windowS as a whole number"],
  [{ name: "x", limit: 1, points: 1 }, "points"],
])("the limit %j is refused", (limit, message) => {
  const { rateLimiter } = redisTransport("redis://localhost");
  const make = () => rateLimiter.call(redisTransport("redis://localhost"), limit as never);
  expect(make).toThrow(expect.objectContaining({ code: "CONFIGURATION", message: expect.stringContaining(message) }));
});
