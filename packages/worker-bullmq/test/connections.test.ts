import { createRequire } from "node:module";
import { Cluster, Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { waitingClient } from "../src/connections.ts";
import { bullmqWorker } from "../src/index.ts";

const lazy = { lazyConnect: true };

/** Another copy of ioredis, as an app has whose packages want different versions. */
function otherIoredis(): typeof import("ioredis") {
  const require = createRequire(import.meta.url);
  for (const file of Object.keys(require.cache).filter((path) => path.includes("/ioredis/"))) {
    delete require.cache[file];
  }
  return require("ioredis");
}

test("a client of another copy of ioredis is copied, with its address", () => {
  const { Redis: OtherRedis } = otherIoredis();
  const client = new OtherRedis("redis://:secret@redis.internal:6380/3", lazy);
  expect(client).not.toBeInstanceOf(Redis);
  const own = waitingClient(client);
  onTestFinished(() => own.disconnect());
  expect(own.options).toMatchObject({ host: "redis.internal", port: 6380, password: "secret", db: 3, maxRetriesPerRequest: null });
});

test.each([
  ["an address with a prefix of keys", "redis://localhost?keyPrefix=app:"],
  ["options with one", { keyPrefix: "app:" }],
  ["a client with one", new Redis({ ...lazy, keyPrefix: "app:" })],
  ["a cluster with one", new Cluster([], { ...lazy, keyPrefix: "app:" })],
  ["a cluster whose nodes have one", new Cluster([], { ...lazy, redisOptions: { keyPrefix: "app:" } })],
])("refuses %s", (_, connection) => {
  expect(() => bullmqWorker({ connection })).toThrow(
    expect.objectContaining({ code: "CONFIGURATION", message: expect.stringContaining("keyPrefix") }),
  );
});

test("refuses an address among options, which ioredis would not read", () => {
  const connection: object = { url: "redis://:secret@redis.internal" };
  const read = () => bullmqWorker({ connection });
  expect(read).toThrow(expect.objectContaining({ code: "CONFIGURATION" }));
  expect(read).not.toThrow(/secret/);
});

test("takes a client", () => {
  expect(() => bullmqWorker({ connection: new Redis(lazy) })).not.toThrow();
});
