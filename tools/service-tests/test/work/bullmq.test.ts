import { readFile } from "node:fs/promises";
import { type Job, type Logger, NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { hasRedis, type RedisServer, startRedis } from "@belfry/redis-launcher";
import { workerSuite } from "@belfry/testkit";
import { type RecorderOptions, recorder } from "@belfry/testkit/host";
import { bullmqWorker } from "@belfry/worker-bullmq";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";
import { contentOf } from "./redis-content.ts";

const NAME = "belfry-deliveries";
const PREFIX = "{belfry}";

// Without redis-server on the machine there is nothing to test with; CI installs it.
describe.skipIf(!hasRedis)("jobs of BullMQ", () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
    redis.on("error", () => undefined);
  });
  beforeEach(() => redis.flushall());
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  const worker = () => bullmqWorker({ connection: server.url });

  function queue(): Queue<Job> {
    const opened = new Queue<Job>(NAME, { connection: redis, prefix: PREFIX });
    onTestFinished(() => opened.close());
    return opened;
  }

  onEveryStorage((database) => {
    workerSuite("BullMQ", { storage: () => database.storage(), worker });

    async function start(options: Partial<NotificationServiceOptions> = {}): Promise<NotificationService> {
      const service = stopsAfterTest(
        new NotificationService({ storage: database.storage(), logger: silent, worker: worker(), ...options }),
      );
      await service.start();
      return service;
    }

    /** A channel whose attempts wait until the test lets them go on. */
    function heldChannel(options: RecorderOptions = {}) {
      const { promise, resolve: release } = Promise.withResolvers<void>();
      const channel = recorder({ isAddress: () => true, ...options });
      const deliver: typeof channel.deliver = async (task, signal) => {
        const outcome = channel.deliver(task, signal);
        await promise;
        return outcome;
      };
      return { ...channel, deliver, release };
    }

    const send = async (service: NotificationService, to: string | readonly string[]) =>
      (await service.create({ channels: ["email"], to, title: "A title", message: "A message", data: { key: "secret words" } }))
        .notification.id;
    const statusOf = async (service: NotificationService, id: string) => (await service.get(id)).status;

    test("Redis has ids alone, and few of them; a job fails as its attempt did, and tells nothing of it", async () => {
      const failure = { status: "failed", error: "550 no such user carl", transient: false } as const;
      const channel = heldChannel({ retryDelaysMs: [3_600_000], answer: ({ recipient }) => answers.get(recipient) });
      const answers = new Map([
        ["carl", failure],
        ["dora", { ...failure, transient: true }],
      ]);
      const service = await start({ channels: [channel], delivery: { concurrency: 5 } });
      const many = Array.from({ length: 100 }, (_, index) => `person ${index}`);
      const [bad, busy, good] = [await send(service, "carl"), await send(service, "dora"), await send(service, many)];
      await expect.poll(() => channel.tasks.length).toBe(4);
      const jobs = queue();
      await expect.poll(() => jobs.getWaitingCount()).toBe(0);
      expect((await jobs.getActive()).length).toBeLessThanOrEqual(25);
      const before = await contentOf(redis);
      channel.release();
      await expect.poll(() => statusOf(service, good)).toBe("delivered");
      await expect.poll(() => statusOf(service, bad)).toBe("failed");
      await expect.poll(() => jobs.getCompletedCount()).toBe(100);
      await expect
        .poll(async () => (await jobs.getFailed()).map(({ failedReason }) => failedReason.split(".")[0]).sort())
        .toEqual(["The attempt failed", "The attempt failed for good"]);
      const [delivery] = (await service.deliveries(busy)).deliveries;
      const [failed] = (await jobs.getFailed()).filter(({ data }) => data.id === delivery?.id);
      expect(failed).toMatchObject({ id: `${delivery?.id}-1`, data: { id: delivery?.id, attempt: 1 }, stacktrace: [] });
      for (const content of [before, await contentOf(redis)]) {
        expect(content.includes(delivery?.id ?? "none")).toBe(true);
        expect(
          ["person", "carl", "dora", "A title", "A message", "secret words", "no such user", "email"].filter((one) =>
            content.includes(one),
          ),
        ).toEqual([]);
      }
    });

    test("a job that comes twice, one of another attempt, and one that nobody made, do nothing", async () => {
      const channel = recorder({ isAddress: () => true });
      const service = await start({ channels: [channel] });
      const id = await send(service, "ann");
      await expect.poll(() => statusOf(service, id)).toBe("delivered");
      const [delivery] = (await service.deliveries(id)).deliveries;
      const jobs = queue();
      const again = [1, 2, 7].map((attempt) => ({ id: delivery?.id ?? "", attempt }));
      const made = [
        { id: crypto.randomUUID(), attempt: 1 },
        { id: "'; DROP TABLE", attempt: 2 },
        { id: delivery?.id ?? "", attempt: 1e12 },
      ];
      const added = await jobs.addBulk([...again, ...made].map((data) => ({ name: "job", data })));
      await expect.poll(() => Promise.all(added.map((job) => job.getState()))).toEqual(added.map(() => "unknown"));
      expect(channel.tasks).toHaveLength(1);
      expect((await service.deliveries(id)).deliveries).toMatchObject([{ status: "delivered", attempt: 1 }]);
    });

    test("a process without a worker adds jobs at once, and runs none", async () => {
      const web = await start({ channels: [recorder({ isAddress: () => true })], delivery: { worker: false } });
      const id = await send(web, "ann");
      await expect.poll(() => queue().getWaitingCount()).toBe(1);
      expect(web.workers().map(({ name }) => name)).toEqual(["processing records"]);
      const channel = recorder({ isAddress: () => true });
      const service = await start({ channels: [channel] });
      await expect.poll(() => statusOf(service, id)).toBe("delivered");
      expect(channel.tasks).toHaveLength(1);
    });

    test("a job that its worker left, or that failed before it began, is run by another one", async () => {
      const channel = recorder({ isAddress: () => true });
      const web = await start({ channels: [channel], delivery: { worker: false } });
      const ids = [await send(web, "left"), await send(web, "failed")];
      const { promise: taken, resolve: take } = Promise.withResolvers<void>();
      const [first] = (await web.deliveries(ids[0] ?? "")).deliveries;
      const hangs = async ({ data }: { readonly data: Job }) => {
        if (data.id !== first?.id) {
          throw new Error("It ran out of memory.");
        }
        take();
        await new Promise(() => undefined);
      };
      const client = new Redis(server.url, { maxRetriesPerRequest: null });
      const locks = { lockDuration: 500, stalledInterval: 500, skipLockRenewal: true };
      const dying = new Worker(NAME, hangs, { connection: client, prefix: PREFIX, concurrency: 2, ...locks });
      await taken;
      await expect.poll(() => queue().getFailedCount()).toBe(1);
      await dying.close(true);
      client.disconnect();
      const service = await start({ channels: [channel], delivery: { leaseMs: 1_000 } });
      for (const id of ids) {
        // BullMQ looks for what was left every five seconds, and acts at the second look.
        await expect.poll(() => statusOf(service, id), { timeout: 45_000 }).toBe("delivered");
      }
      expect(channel.tasks.map(({ recipient }) => recipient).sort()).toEqual(["failed", "left"]);
    });

    test("a Redis that is emptied in the middle loses nothing, and nothing is done twice", async () => {
      const channel = heldChannel();
      const service = await start({ channels: [channel], delivery: { concurrency: 1 } });
      const ids = await Promise.all(["a", "b", "c", "d", "e"].map((to) => send(service, to)));
      await expect.poll(() => channel.tasks.length).toBe(1);
      await redis.flushall();
      channel.release();
      for (const id of ids) {
        await expect.poll(() => statusOf(service, id)).toBe("delivered");
      }
      expect(channel.tasks.map(({ recipient }) => recipient).sort()).toEqual(["a", "b", "c", "d", "e"]);
    });

    test("while Redis is away, deliveries go out all the same; once it is back, empty, they are jobs again", async () => {
      const lines: string[] = [];
      const keep: Logger["warn"] = (_, line) => void lines.push(line);
      const channel = recorder({ isAddress: () => true });
      const service = await start({ channels: [channel], logger: { ...silent, info: keep, warn: keep, error: keep } });
      const before = await send(service, "before");
      await expect.poll(() => statusOf(service, before)).toBe("delivered");
      await server.kill();
      const during = [await send(service, "during 1"), await send(service, "during 2")];
      for (const id of during) {
        await expect.poll(() => statusOf(service, id)).toBe("delivered");
      }
      await server.startAgain();
      await expect.poll(() => lines.filter((line) => line.includes("deliveries is back"))).toHaveLength(1);
      const after = await send(service, "after");
      await expect.poll(() => statusOf(service, after)).toBe("delivered");
      await expect.poll(async () => (await queue().getCompleted()).length).toBe(1);
      const told = ["deliveries is away; this process claims them itself until it is back.", "deliveries is back."];
      expect(lines).toEqual(told.map((end) => `Belfry's queue of ${end}`));
      expect(
        channel.tasks
          .filter(({ recipient }) => recipient !== "before")
          .map(({ recipient }) => recipient)
          .sort(),
      ).toEqual(["after", "during 1", "during 2"]);
    });

    test("what the rules of Redis refuse is said with the rule to add, once, and names nobody", async () => {
      const guide = await readFile(new URL("../../../../docs/guides/bullmq.md", import.meta.url), "utf8");
      const [, rules = ""] = /^ACL SETUSER belfry on '>password' (.+)$/m.exec(guide) ?? [];
      const allow = (...more: readonly string[]) => redis.acl("SETUSER", "keyes", "reset", "on", ">hunter2", ...rules.split(" "), ...more);
      await allow("-bzpopmin");
      onTestFinished(async () => void (await redis.acl("DELUSER", "keyes")));
      const said: { readonly grant?: unknown }[] = [];
      const lines: string[] = [];
      const warn = (fields: object, line: string) => {
        said.push(fields);
        lines.push(line);
      };
      const channel = recorder({ isAddress: () => true });
      const connection = `redis://keyes:hunter2@127.0.0.1:${server.port}`;
      const logger: Logger = { ...silent, warn };
      const service = await start({ channels: [channel], logger, worker: bullmqWorker({ connection }) });
      const refused = () => said.flatMap(({ grant }) => (grant === undefined ? [] : [grant]));
      // One for each queue.
      await expect.poll(refused, { timeout: 10_000 }).toEqual(["+bzpopmin", "+bzpopmin"]);
      expect(JSON.stringify([said, lines])).not.toMatch(/keyes|hunter2/);
      await allow();
      const id = await send(service, "ann");
      await expect.poll(() => statusOf(service, id), { timeout: 10_000 }).toBe("delivered");
      expect(refused()).toHaveLength(2);
      await allow("resetkeys", "~app:*");
      await send(service, "bob");
      await expect.poll(refused, { timeout: 10_000 }).toContain("~{belfry}:*");
    });

    test("a start without Redis delivers, and a stop without Redis ends", async () => {
      await server.kill();
      onTestFinished(() => server.startAgain());
      const channel = recorder({ isAddress: () => true });
      const service = await start({ channels: [channel] });
      const id = await send(service, "ann");
      await expect.poll(() => statusOf(service, id)).toBe("delivered");
      await service.stop();
      expect(channel.tasks).toHaveLength(1);
    });
  });
});
