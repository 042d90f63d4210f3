import { NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { freshDatabase } from "@belfry/postgres-launcher";
import { hasRedis } from "@belfry/redis-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import pg from "pg";
import { beforeAll, describe, expect, test } from "vitest";
import { redisTransport } from "../src/index.ts";
import { keepLines, useCleanup, useRedis, WAIT } from "./setup.ts";

describe.skipIf(!hasRedis)("services on PostgreSQL over Redis (only where redis-server is installed)", () => {
  const cleanup = useCleanup();
  const redis = useRedis();
  let url = "";
  beforeAll(async () => {
    const database = await freshDatabase();
    url = database.url;
    return () => database.drop();
  });

  async function instance(options: Partial<NotificationServiceOptions> = {}): Promise<NotificationService> {
    const { logger } = keepLines();
    const transport = redisTransport(redis.url, { logger });
    const service = new NotificationService({ storage: postgresStorage(url, { logger }), transport, logger, ...options });
    cleanup(() => service.stop());
    await service.start();
    return service;
  }

  function follow(service: NotificationService, userId: string) {
    const titles: string[] = [];
    const subscription = service.inbox(userId).subscribe({
      onEvent: (event) => void (event.change === "created" ? titles.push(event.item?.title ?? "") : undefined),
      onState: () => {},
    });
    cleanup(() => subscription.close());
    return { titles, ready: subscription.ready };
  }

  test("what one instance creates, a follower at another gets, and PostgreSQL notifies nobody", async () => {
    const [here, there] = [await instance(), await instance()];
    const listener = new pg.Client({ connectionString: url });
    await listener.connect();
    cleanup(() => listener.end());
    const heard: unknown[] = [];
    listener.on("notification", ({ payload }) => heard.push(payload));
    await listener.query('LISTEN belfry_public; LISTEN "belfry-feeds_public"');
    const { titles, ready } = follow(there, "ann");
    await ready;
    await here.create({ to: "ann", title: "one" });
    await here.create({ to: ["ann", "bob"], title: "two" });
    await expect.poll(() => titles, WAIT).toEqual(["one", "two"]);
    await listener.query("SELECT 1");
    expect(heard).toEqual([]);
  });

  test("Redis is killed, and comes back empty: followers get everything once, in order", async () => {
    const [here, there] = [await instance(), await instance()];
    const { titles, ready } = follow(there, "cy");
    await ready;
    const create = async (from: number, to: number) => {
      for (let number = from; number < to; number += 1) {
        await here.create({ to: "cy", title: `${number}` });
      }
    };
    await create(0, 5);
    await redis.kill();
    await create(5, 10);
    const late = follow(there, "dan");
    await late.ready;
    await here.create({ to: "dan", title: "while it is away" });
    await expect.poll(() => titles, WAIT).toHaveLength(10);
    await expect.poll(() => late.titles, WAIT).toEqual(["while it is away"]);
    await redis.startAgain();
    await create(10, 15);
    await expect.poll(() => titles, WAIT).toHaveLength(15);
    expect(titles).toEqual(Array.from({ length: 15 }, (_, number) => `${number}`));
  });

  test("a user who is connected to one instance is online for all, until they leave, also after Redis forgot everything", async () => {
    const [here, there] = [await instance(), await instance()];
    const status = async () => {
      const { id } = await there.trackFromContract({ to: "eve", message: "x" });
      await expect.poll(async () => (await there.get(id)).status, WAIT).not.toBe("pending");
      return (await there.get(id)).status;
    };
    expect(await status()).toBe("failed");
    const subscription = here.inbox("eve").subscribe({ onEvent: () => {}, onState: () => {} });
    await subscription.ready;
    await expect.poll(status, WAIT).toBe("sent");
    await redis.kill();
    await redis.startAgain();
    await expect.poll(status, WAIT).toBe("sent");
    subscription.close();
    await expect.poll(status, WAIT).toBe("failed");
  });
});
