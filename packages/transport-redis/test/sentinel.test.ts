import { feedOf } from "@belfry/core/storage";
import { hasRedis, type RedisSentinel, startRedisSentinel } from "@belfry/redis-launcher";
import { transportSuite } from "@belfry/testkit";
import { Redis } from "ioredis";
import { beforeAll, describe, expect, test } from "vitest";
import { redisTransport } from "../src/index.ts";
import { BACK, Ear, GONE, keepLines, signalFor, useCleanup, WAIT } from "./setup.ts";

describe.skipIf(!hasRedis)("sentinels of Redis (only where redis-server is installed)", () => {
  const cleanup = useCleanup();
  let set: RedisSentinel | null = null;
  beforeAll(async () => {
    set = await startRedisSentinel();
    return () => set?.stop();
  });
  const current = () => {
    if (set === null) {
      throw new Error("The servers are there only while the tests of the file run.");
    }
    return set;
  };

  transportSuite("redis sentinel", {
    crossesProcesses: true,
    create: async () => redisTransport(current().url, { logger: keepLines().logger }),
    async interrupt() {
      const client = new Redis(current().first.url);
      for (const type of ["normal", "pubsub"]) {
        await client.call("CLIENT", "KILL", "TYPE", type);
      }
      client.disconnect();
    },
  });

  async function started() {
    const [ear, { logger, lines }] = [new Ear(), keepLines()];
    const transport = redisTransport(current().url, { logger });
    cleanup(() => transport.stop());
    await transport.start(ear);
    await transport.follow(feedOf(signalFor("ann")) ?? "");
    return { transport, ear, lines };
  }

  test("the server is killed while signals go out, and its replica takes over: one line each, and the signals go on", async () => {
    const [one, two] = [await started(), await started()];
    let seq = 0;
    const next = () => {
      seq += 1;
      one.transport.publish([signalFor("ann", seq)]);
      return two.ear.of("ann").at(-1);
    };
    await expect.poll(next, WAIT).toBeGreaterThan(5);
    await current().first.kill();
    const { gaps } = two.ear;
    const lines = () => {
      next();
      return [one.lines, two.lines];
    };
    await expect.poll(lines, WAIT).toEqual([
      [GONE, BACK],
      [GONE, BACK],
    ]);
    await expect.poll(() => two.ear.gaps, WAIT).toBeGreaterThan(gaps);
    const lost = seq;
    await expect.poll(next, WAIT).toBeGreaterThan(lost);
    const client = new Redis(current().second.url);
    cleanup(() => client.disconnect());
    expect(await client.role()).toContain("master");
    expect([one.lines, two.lines].flat()).toHaveLength(4);
  });
});
