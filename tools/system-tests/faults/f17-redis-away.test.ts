import { hasRedis, startRedis } from "@belfry/redis-launcher";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { useCleanup } from "../test/use-cleanup.ts";
import { arena } from "./parts/arena.ts";
import { endlessLoad, progress } from "./parts/endless-load.ts";
import { scaled } from "./parts/run.ts";

const ROUNDS = scaled(2, 20);
const IN_FLIGHT = 4;

/** What a process says when it cannot reach Redis any more, and when it can again. */
const LINES = /Belfry (?:cannot reach|reaches) Redis/g;

describe.skipIf(!hasRedis)(
  "F17 Redis: it is flushed, killed, and comes back empty, while processes are killed, too (only where redis-server is)",
  () => {
    const cleanup = useCleanup();

    test("sockets get every item once and in order, and nothing accepted is lost", async () => {
      const redis = await startRedis();
      cleanup(() => redis.stop());
      const one = await arena({ fault: "F17", kind: "PostgreSQL", users: 6, victim: { redis: redis.url } }, cleanup);
      const steady = await one.start();
      const other = await one.start();
      // It tries again after a while: a kill before that would be the same outage still.
      const said = (lines: number) => expect.poll(() => (steady.output.match(LINES) ?? []).length, { timeout: 60_000 }).toBe(lines);
      await one.follow();
      const stop = endlessLoad(one, IN_FLIGHT);
      await progress(one, 20);
      for (let round = 0; round < ROUNDS; round += 1) {
        const client = new Redis(redis.url);
        await client.flushall();
        client.disconnect();
        await progress(one, 10);
        await redis.kill();
        await progress(one, 20);
        await said(2 * round + 1);
        await redis.startAgain();
        await progress(one, 20);
        await said(2 * (round + 1));
      }
      await redis.kill();
      await one.replace(other);
      await progress(one, 20);
      await redis.startAgain();
      await progress(one, 20);
      await stop();
      const verdict = await one.expectSound();
      await said(2 * (ROUNDS + 1));
      one.note(verdict, { "Redis killed": ROUNDS + 1 });
    });
  },
);
