import { type DeliveryTask, type JobQueues, NotificationService, type NotificationServiceOptions, type Processor } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Recorder, type RecorderOptions, recorder } from "./host/index.ts";

/** The parts that the worker suite needs. */
export interface WorkerHarness {
  /** Makes a storage over a database that is empty when a test begins. Each is that of another process. */
  storage(): Storage;
  /** Makes the option `worker` of a service; all of a test are of one installation. @default Belfry claims what is due itself */
  worker?(): JobQueues;
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A promise that a test resolves. */
function gate(): { readonly open: Promise<void>; release(): void } {
  const { promise: open, resolve: release } = Promise.withResolvers<void>();
  return { open, release };
}

/** A channel that does what a test says. */
function channelOf(options: RecorderOptions, meanwhile: (task: DeliveryTask) => Promise<void> = async () => {}): Recorder {
  const channel = recorder({ isAddress: () => true, ...options });
  const deliver: Recorder["deliver"] = async (task, signal) => {
    const outcome = channel.deliver(task, signal);
    await meanwhile(task);
    return outcome;
  };
  return { ...channel, deliver };
}

/**
 * Tests whether what has due work done keeps the promises of deliveries and of the hub: Belfry's own worker, and the jobs of a queue.
 *
 * @example
 * ```ts
 * workerSuite("BullMQ on SQLite", { storage: () => database.storage(), worker: () => bullmqWorker({ connection }) });
 * ```
 */
export function workerSuite(name: string, harness: WorkerHarness): void {
  describe(`worker: ${name}`, () => {
    async function start(options: Partial<NotificationServiceOptions> = {}): Promise<NotificationService> {
      const worker = harness.worker === undefined ? {} : { worker: harness.worker() };
      const service = new NotificationService({ storage: harness.storage(), logger: silent, ...worker, ...options });
      onTestFinished(() => service.stop());
      await service.start();
      return service;
    }

    async function send(service: NotificationService, to: string | readonly string[], tenant = "default"): Promise<string> {
      const { notification } = await service.tenant(tenant).create({ channels: ["email"], to, message: "Hello" });
      return notification.id;
    }

    const statusOf = async (service: NotificationService, id: string, tenant = "default") => (await service.tenant(tenant).get(id)).status;

    test("everything that is due is delivered once, whoever sent it", async () => {
      const channel = channelOf({});
      const service = await start({ channels: [channel], delivery: { concurrency: 5 } });
      const people = Array.from({ length: 30 }, (_, index) => `p${index}`);
      const ids = await Promise.all(["acme", "globex"].map(async (tenant) => [tenant, await send(service, people, tenant)] as const));
      for (const [tenant, id] of ids) {
        await expect.poll(() => statusOf(service, id, tenant)).toBe("delivered");
      }
      const reached = channel.tasks.map(({ tenant, recipient }) => `${tenant} ${recipient}`);
      expect(reached.sort()).toEqual(["acme", "globex"].flatMap((tenant) => people.map((one) => `${tenant} ${one}`)).sort());
    });

    test("what was sent before a worker started is delivered once it has", async () => {
      const sender = await start({ channels: [channelOf({})], delivery: { worker: false } });
      const id = await send(sender, ["ann", "bob"]);
      expect(await statusOf(sender, id)).toBe("pending");
      const channel = channelOf({});
      const service = await start({ channels: [channel] });
      await expect.poll(() => statusOf(service, id)).toBe("delivered");
      expect(channel.tasks.map(({ recipient }) => recipient).sort()).toEqual(["ann", "bob"]);
    });

    test("an attempt that fails for now is repeated at its time, and one that fails for good is not", async () => {
      const channel = channelOf({
        retryDelaysMs: [20, 20],
        answer: ({ recipient, attempt }) => {
          const failed = { status: "failed", error: "no", transient: recipient !== "gone" } as const;
          return recipient === "gone" || recipient === "busy" || attempt < 3 ? failed : undefined;
        },
      });
      const service = await start({ channels: [channel] });
      const ids = await Promise.all(["slow", "busy", "gone"].map((to) => send(service, to)));
      for (const [index, status] of ["delivered", "failed", "failed"].entries()) {
        await expect.poll(() => statusOf(service, ids[index] ?? "")).toBe(status);
      }
      const attempts = (to: string) => channel.of(to).map(({ attempt }) => attempt);
      expect([attempts("slow"), attempts("busy"), attempts("gone")]).toEqual([[1, 2, 3], [1, 2, 3], [1]]);
    });

    test("as many attempts are under way at once as the service allows, and no more", async () => {
      const [all, full] = [gate(), gate()];
      let [atOnce, most] = [0, 0];
      const channel = channelOf({}, async () => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        if (most === 3) {
          full.release();
        }
        await all.open;
        atOnce -= 1;
      });
      const service = await start({ channels: [channel], delivery: { concurrency: 3 } });
      const ids = [await send(service, ["a", "b", "c", "d"]), await send(service, ["e", "f"], "acme")];
      await full.open;
      all.release();
      await expect
        .poll(() => Promise.all([statusOf(service, ids[0] ?? ""), statusOf(service, ids[1] ?? "", "acme")]))
        .toEqual(["delivered", "delivered"]);
      expect([most, channel.tasks.length]).toEqual([3, 6]);
    });

    test("a tenant that has many slow deliveries leaves room for another one's", async () => {
      const hold = gate();
      const channel = channelOf({}, ({ tenant }) => (tenant === "slow" ? hold.open : Promise.resolve()));
      const service = await start({ channels: [channel], delivery: { concurrency: 10 } });
      const many = await send(
        service,
        Array.from({ length: 60 }, (_, index) => `s${index}`),
        "slow",
      );
      await expect.poll(() => channel.tasks.length).toBe(8);
      const one = await send(service, "ann", "quick");
      await expect.poll(() => statusOf(service, one, "quick")).toBe("delivered");
      expect(channel.tasks.filter(({ tenant }) => tenant === "slow")).toHaveLength(8);
      hold.release();
      await expect.poll(() => statusOf(service, many, "slow")).toBe("delivered");
      expect(channel.tasks).toHaveLength(61);
    });

    test("what is paused waits until it is resumed", async () => {
      const channel = channelOf({});
      const service = await start({ channels: [channel] });
      await service.operator.pauses.pause({ channel: "email", recipient: "ann" });
      const [held, other] = [await send(service, "ann"), await send(service, "bob")];
      await expect.poll(() => statusOf(service, other)).toBe("delivered");
      await expect
        .poll(async () => (await service.timeline(held)).deliveries[0]?.standing)
        .toMatchObject({ state: "held", heldBy: "paused" });
      await service.operator.pauses.resume({ channel: "email", recipient: "ann" });
      await expect.poll(() => statusOf(service, held)).toBe("delivered");
      expect(channel.tasks.map(({ recipient }) => recipient)).toEqual(["bob", "ann"]);
    });

    test("an endpoint that keeps failing rests, and takes no turn of others", async () => {
      const answer = ({ recipient }: DeliveryTask) =>
        recipient === "broken" ? ({ status: "failed", transient: true, error: "no" } as const) : undefined;
      const channel = channelOf({ retryDelaysMs: [60_000], answer });
      const service = await start({ channels: [channel], delivery: { concurrency: 2 } });
      for (let index = 0; index < 12; index += 1) {
        await send(service, "broken");
      }
      const ids = await Promise.all(["ann", "bob"].map((to) => send(service, to)));
      await expect.poll(() => Promise.all(ids.map((id) => statusOf(service, id)))).toEqual(["delivered", "delivered"]);
      await expect.poll(() => channel.of("broken").length).toBeGreaterThanOrEqual(5);
      expect(channel.of("broken").length).toBeLessThan(12);
    });

    test("two processes share the work: each delivery is one's", async () => {
      const channel = channelOf({});
      const services = [await start({ channels: [channel] }), await start({ channels: [channel] })];
      const people = Array.from({ length: 40 }, (_, index) => `p${index}`);
      const ids = await Promise.all(services.map((service, index) => send(service, people.slice(20 * index, 20 * index + 20))));
      for (const id of ids) {
        await expect.poll(() => services[0] && statusOf(services[0], id)).toBe("delivered");
      }
      expect(channel.tasks.map(({ recipient }) => recipient).sort()).toEqual([...people].sort());
    });

    test("a stop lets what has begun end, and leaves the rest to the next start", async () => {
      const hold = gate();
      const channel = channelOf({}, () => hold.open);
      const service = await start({ channels: [channel], delivery: { concurrency: 5 } });
      const ids = await Promise.all(["a", "b", "c", "d", "e", "f"].map((to) => send(service, to)));
      // A tenant's share.
      await expect.poll(() => channel.tasks.length).toBe(4);
      const stopped = service.stop();
      hold.release();
      await stopped;
      expect(channel.tasks).toHaveLength(4);
      await service.start();
      for (const id of ids) {
        await expect.poll(() => statusOf(service, id)).toBe("delivered");
      }
      expect(channel.tasks.map(({ recipient }) => recipient).sort()).toEqual(["a", "b", "c", "d", "e", "f"]);
    });

    test("everything that is due can be done at once, by whoever asks for it", async () => {
      const channel = channelOf({});
      const service = await start({ channels: [channel] });
      const id = await send(service, ["ann", "bob", "carl"]);
      await service.runDue();
      await expect.poll(() => statusOf(service, id)).toBe("delivered");
      expect(channel.tasks).toHaveLength(3);
    });

    test("handlers run over events, are tried again, and end with a result or an error", async () => {
      const processor: Processor = {
        name: "scripted",
        timeoutMs: 5_000,
        concurrency: 2,
        retryDelaysMs: [10],
        process: async ({ prompt, attempt }) => {
          const isToFail = prompt === "fail" || attempt === 1;
          return isToFail ? { status: "failed", transient: true, error: "busy" } : { status: "completed", text: `${prompt} done` };
        },
      };
      const service = await start({ hub: { processor } });
      for (const prompt of ["work", "fail"]) {
        await service.hub.handlers.create({ source: "mail", prompt });
      }
      const { id } = await service.hub.events.create({ source: "mail", sender: "ann", content: "Hello" });
      const ends = async () =>
        (await service.hub.events.records(id)).map(({ status, result, attempt }) => [status, result, attempt]).sort();
      await expect.poll(ends).toEqual([
        ["COMPLETED", "work done", 2],
        ["FAILED", null, 2],
      ]);
    });
  });
}
