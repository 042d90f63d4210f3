import { type Channel, defineTypes, NotificationService, type Processor } from "@belfry/core";
import type { WorkerBeat } from "@belfry/core/storage";
import { testClock } from "@belfry/testkit/host";
import { expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const MINUTE_MS = 60_000;

const types = defineTypes({ note: { label: "Note" }, news: { label: "News", channels: { call: { digest: { windowMs: MINUTE_MS } } } } });

const call: Channel = {
  name: "call",
  retryDelaysMs: [],
  timeoutMs: 5_000,
  invalidRecipient: () => null,
  deliver: async () => ({ status: "sent", provider: "test" }),
};

const BEAT_MS = 10_000;

const LOST: WorkerBeat = {
  ...{ instance: "killed", name: "deliveries", owner: "owner", mode: "working", concurrency: 100, attempting: 1, leased: 1, lagMs: null },
};

onEveryStorage((database) => {
  test("an operator sees the workers of other processes, those that were lost, and none that stopped", async () => {
    const storage = database.storage();
    const service = stopsAfterTest(new NotificationService({ storage, channels: [call], logger: silent }));
    const watching = stopsAfterTest(
      new NotificationService({ storage: database.storage(), logger: silent, delivery: { worker: false }, hub: { worker: false } }),
    );
    await service.create({ to: { call: "ann" }, type: "note", title: "Hello" });
    await service.start();
    await watching.start();
    const others = async () => (await watching.operator.work("1h")).others.map(({ name, isLost }) => [name, isLost]);
    const own = ["deliveries", "digests", "processing records"].map((name) => [name, false]);
    await expect.poll(async () => (await others()).toSorted()).toEqual(own);
    expect((await service.operator.work("1h")).others).toEqual([]);
    await storage.health.beat([LOST], new Date(Date.now() - MINUTE_MS));
    expect((await watching.operator.work("1h")).others.filter(({ isLost }) => isLost)).toMatchObject([LOST]);
    await service.stop();
    expect(await others()).toEqual([["deliveries", true]]);
  });

  test("what waits at a minute is kept by a process that was started, and shown where somebody looked", async () => {
    const service = stopsAfterTest(new NotificationService({ storage: database.storage(), channels: [call], logger: silent }));
    await service.create({ to: { call: "ann" }, type: "note", title: "Later", scheduledAt: new Date(Date.now() + 60 * MINUTE_MS) });
    const backlog = async () => (await service.operator.health("1h"))[0]?.backlog ?? [];
    expect((await backlog()).every(({ waiting }) => waiting === null)).toBe(true);
    await service.start();
    const seen = async () => (await backlog()).flatMap(({ waiting }) => waiting ?? []);
    await expect.poll(seen).toContainEqual({ scheduled: 1, due: 0, retrying: 0, held: 0 });
  });

  test("alarms tell of the hub, of digests and of a lost worker, and of their ends", async () => {
    const told: string[] = [];
    const pager: Channel = {
      ...call,
      name: "pager",
      async deliver({ title }) {
        told.push(title);
        return { status: "sent", provider: "test" };
      },
    };
    const processor: Processor = {
      name: "test",
      timeoutMs: 1_000,
      concurrency: 1,
      process: async () => ({ status: "failed", transient: false, error: "no" }),
    };
    const clock = testClock(new Date());
    const open = (worker: boolean) => {
      const shared = { storage: database.storage(), types, channels: [call, pager], clock, logger: silent };
      const alarms = { to: { pager: "ops" }, minAttempts: 1, lagMs: null };
      return stopsAfterTest(new NotificationService({ ...shared, alarms, delivery: { worker }, hub: { processor, worker } }));
    };
    // It opens the digest's window, and ends.
    const first = open(true);
    await first.create({ to: "ann", type: "news", title: "Hello" });
    await first.runDue();
    await first.stop();
    const idle = open(false);
    await idle.hub.handlers.create({ source: "mail", prompt: "Sort it." });
    await idle.hub.events.create({ source: "mail", sender: "bob", content: "Hello" });
    const look = async (service: Pick<NotificationService, "runDue">) => {
      await clock.pass(MINUTE_MS);
      await service.runDue();
    };
    const storage = database.storage();
    await storage.open();
    await storage.health.beat([LOST], new Date(clock.now()));
    // The clock of this one was ahead for a day when it was lost.
    await storage.health.beat([{ ...LOST, instance: "ahead" }], new Date(clock.now() + 24 * 60 * MINUTE_MS));
    await clock.pass(8 * MINUTE_MS);
    await idle.start();
    // A worker is missed once the heartbeats of the process that looks have come through for long enough.
    const tells = async () => {
      await clock.pass(BEAT_MS);
      await idle.runDue();
      return told.map((title) => title.replace(/ for .*/, "")).toSorted();
    };
    await expect
      .poll(tells, { timeout: 20_000 })
      .toEqual(["deliveries: no worker has said anything", "digests: a digest has been due", "hub: an event has been due"]);
    told.length = 0;
    // Another process does the work, as after a restart; the one that was lost never says that it stopped.
    await storage.health.beat([{ ...LOST, instance: "started again" }], new Date(clock.now() + MINUTE_MS));
    const working = open(true);
    await working.hub.events.create({ source: "mail", sender: "bob", content: "Hello again" });
    await working.runDue();
    await look(working);
    expect(told.toSorted()).toEqual([
      "deliveries: a worker does this work again",
      "digests: digests are rendered in time again",
      "hub: 100 % of handlers fail",
      "hub: events are processed in time again",
    ]);
    await storage.close();
  });

  test("no worker is missed after an outage in which nobody could say anything, and one that stays silent is", async () => {
    const told: string[] = [];
    const pager: Channel = {
      ...call,
      name: "pager",
      async deliver({ title }) {
        told.push(title);
        return { status: "sent", provider: "test" };
      },
    };
    const clock = testClock(new Date());
    const alarms = { to: { pager: "ops" }, lagMs: null, oldestDueMs: null };
    const service = stopsAfterTest(
      new NotificationService({ storage: database.storage(), channels: [pager], clock, logger: silent, alarms }),
    );
    const storage = database.storage();
    await storage.open();
    await service.start();
    const ownSeenAt = async () =>
      (await storage.health.workers(10, new Date(0))).find(({ instance }) => instance !== LOST.instance)?.seenAt;
    /** Lets time pass until its own next heartbeat is there, and looks. */
    const step = async () => {
      const before = await ownSeenAt();
      await clock.pass(0.9 * BEAT_MS);
      const passes = async () => {
        await clock.pass(BEAT_MS / 10);
        return await ownSeenAt();
      };
      await expect.poll(passes, { timeout: 20_000 }).not.toEqual(before);
      await service.runDue();
    };
    // The service itself delivers, so whoever did before is not missed; nobody else makes reports.
    const unseen = { ...LOST, name: "reports" };
    await storage.health.beat([LOST, unseen], new Date(clock.now()));
    await step();
    await clock.skip(5 * MINUTE_MS);
    await service.runDue();
    for (let beat = 0; beat < 7; beat += 1) {
      await step();
      expect(told).toEqual([]);
      await storage.health.beat([unseen], new Date(clock.now()));
    }
    const tells = async () => {
      await step();
      return told;
    };
    await expect.poll(tells, { timeout: 20_000 }).toEqual([expect.stringMatching(/^reports: no worker has said anything/)]);
    await storage.close();
  });
});
