import type { SocketCounts } from "@belfry/core/http";
import { hasRedis } from "@belfry/redis-launcher";
import { Redis } from "ioredis";
import { describe, expect, test, vi } from "vitest";
import { redisTransport } from "../src/index.ts";
import { RedisSocketCounts } from "../src/socket-counts.ts";
import { BACK, Ear, GONE, keepLines, useCleanup, useRedis, WAIT } from "./setup.ts";

describe.skipIf(!hasRedis)("counts of sockets over Redis (only where redis-server is installed)", () => {
  const cleanup = useCleanup();
  const redis = useRedis();

  async function process() {
    const { logger, lines } = keepLines();
    const transport = redisTransport(redis.url, { logger });
    const counts = transport.socketCounts();
    cleanup(() => transport.stop());
    await transport.start(new Ear());
    return { transport, counts, lines };
  }

  function admin(): Redis {
    const client = new Redis(redis.url);
    cleanup(() => client.disconnect());
    return client;
  }

  const elsewhere = (counts: SocketCounts) => counts.note("8.8.8.8", 0);

  test("each process knows what the others have open for an address", async () => {
    const [one, two, three] = [await process(), await process(), await process()];
    expect(await one.counts.note("8.8.8.8", 2)).toBe(0);
    expect(await two.counts.note("8.8.8.8", 3)).toBe(2);
    expect(await two.counts.note("9.9.9.9", 1)).toBe(0);
    expect(await elsewhere(three.counts)).toBe(5);
    expect(await one.counts.note("8.8.8.8", 1)).toBe(3);
    expect(await elsewhere(three.counts)).toBe(4);
    expect(JSON.stringify(await admin().keys("*"))).not.toContain("8.8.8.8");
  });

  test("what a process had open that stopped, or was killed, counts no more", async () => {
    const [one, two, three] = [await process(), await process(), await process()];
    const client = admin();
    // Of other tests.
    await client.flushall();
    await one.counts.note("8.8.8.8", 2);
    await two.counts.note("8.8.8.8", 3);
    // It knows of the lease of the one that stops.
    expect(await elsewhere(three.counts)).toBe(5);
    await one.transport.stop();
    expect(await elsewhere(three.counts)).toBe(3);
    await client.del(...(await client.keys("belfry:sockets:instance:*")));
    // It may have read the lease before.
    const four = await process();
    expect(await elsewhere(four.counts)).toBe(0);
    expect(await client.keys("belfry:sockets:*")).toEqual([]);
  });

  test("a process that was killed counts no more after some seconds, however far ahead its clock was", async () => {
    const [one, two] = [await process(), await process()];
    const client = admin();
    await client.flushall();
    await one.counts.note("8.8.8.8", 2);
    const [lease = ""] = await client.keys("belfry:sockets:instance:*");
    await client.set(lease, Date.now() + 3_600_000);
    expect(await elsewhere(two.counts)).toBe(2);
    await client.del(lease);
    const now = performance.now.bind(performance);
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + 5_000);
    cleanup(() => clock.mockRestore());
    expect(await elsewhere(two.counts)).toBe(0);
  });

  test("a number that was lost is told again, also if an earlier one arrived after it", async () => {
    const client = admin();
    const hset = client.hset.bind(client);
    const answer = Promise.withResolvers<void>();
    const counts = new RedisSocketCounts({ client, prefix: "belfry", logger: keepLines().logger });
    cleanup(() => counts.stop());
    await counts.note("7.7.7.7", 1_000);
    const told = vi.spyOn(client, "hset");
    told.mockImplementationOnce(async (...command) => {
      const added = await hset(...command);
      await answer.promise;
      return added;
    });
    told.mockRejectedValueOnce(new Error("The connection was lost."));
    const early = counts.note("7.7.7.7", 900);
    // It sends what is open then.
    await expect.poll(() => told.mock.calls.length, WAIT).toBe(1);
    expect(await counts.note("7.7.7.7", 800)).toBe(0);
    answer.resolve();
    await early;
    client.emit("ready");
    const two = await process();
    await expect.poll(() => two.counts.note("7.7.7.7", 0), WAIT).toBe(800);
  });

  test("what ends after a stop is not told, and what is still open is told with the next start", async () => {
    const client = admin();
    await client.flushall();
    const counts = new RedisSocketCounts({ client, prefix: "belfry", logger: keepLines().logger });
    cleanup(() => counts.stop());
    await counts.note("7.7.7.7", 3);
    await counts.stop();
    await counts.note("7.7.7.7", 2);
    expect(await client.keys("belfry:sockets:*")).toEqual([]);
    counts.start();
    const two = await process();
    await expect.poll(() => two.counts.note("7.7.7.7", 0), WAIT).toBe(2);
  });

  test("while Redis is away each process counts its own, and it learns again what is open", async () => {
    const [one, two] = [await process(), await process()];
    await one.counts.note("8.8.8.8", 2);
    await redis.kill();
    await expect.poll(() => [one.lines, two.lines], WAIT).toEqual([[GONE], [GONE]]);
    expect(await elsewhere(two.counts)).toBe(0);
    expect(await one.counts.note("9.9.9.9", 4)).toBe(0);
    await redis.startAgain();
    await expect
      .poll(() => [one.lines, two.lines], WAIT)
      .toEqual([
        [GONE, BACK],
        [GONE, BACK],
      ]);
    await expect.poll(() => elsewhere(two.counts), WAIT).toBe(2);
    expect(await two.counts.note("9.9.9.9", 0)).toBe(4);
  });
});
