import { type Channel, defineTypes, NotificationService, type Processor } from "@belfry/core";
import { expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const types = defineTypes({ note: { label: "Note" }, news: { label: "News", channels: { call: { digest: { windowMs: 3_600_000 } } } } });

onEveryStorage((database) => {
  /** A service whose calls last until they are let go; its hub fails what mentions a fault. */
  function setUp() {
    const { promise: letGo, resolve: release } = Promise.withResolvers<void>();
    const call: Channel = {
      name: "call",
      retryDelaysMs: [],
      timeoutMs: 60_000,
      invalidRecipient: () => null,
      async deliver() {
        await letGo;
        return { status: "sent", provider: "test" };
      },
    };
    const processor: Processor = {
      name: "test",
      timeoutMs: 1_000,
      concurrency: 3,
      process: async ({ notification }) =>
        notification.content === "fault"
          ? { status: "failed", transient: false, error: "no" }
          : notification.content === "busy"
            ? { status: "failed", transient: true, error: "later" }
            : { status: "completed", text: "done" },
    };
    const shared = { storage: database.storage(), types, channels: [call], logger: silent };
    return { service: stopsAfterTest(new NotificationService({ ...shared, hub: { processor } })), release };
  }

  test("an operator sees who holds leases until when, here and elsewhere", async () => {
    const { service, release } = setUp();
    const watching = stopsAfterTest(
      new NotificationService({ storage: database.storage(), delivery: { worker: false }, hub: { worker: false } }),
    );
    await service.create({ to: { call: "ann" }, type: "note", title: "Hello" });
    await service.tenant("acme").create({ to: { call: "bob" }, type: "note", title: "Hello" });
    await expect.poll(async () => (await watching.operator.work("1h")).leases.length).toBe(1);
    const { leases, workers } = await watching.operator.work("1h");
    expect(workers).toEqual([]);
    const own = () => service.workers().find(({ name }) => name === "deliveries");
    expect(leases).toEqual([{ work: "deliveries", owner: own()?.owner, leases: 1, until: expect.any(Date) }]);
    await expect.poll(own).toMatchObject({ mode: "working", concurrency: 100, attempting: 2, leased: 2 });
    release();
    await expect.poll(async () => (await watching.operator.work("1h")).leases).toEqual([]);
  });

  test("the hub and digests are counted, each for its tenant", async () => {
    const { service, release } = setUp();
    release();
    await service.hub.handlers.create({ source: "mail", prompt: "Sort it." });
    for (const content of ["fine", "fine", "fault", "busy"]) {
      await service.hub.events.create({ source: "mail", sender: "bob", content });
    }
    await service.create({ to: "ann", type: "news", title: "Hello" });
    await service.runDue();
    const { hub, digests, workers } = await service.operator.work("1h");
    expect(hub).toMatchObject({ succeeded: 2, failed: 1, waiting: 1, due: 0, oldestDueAt: null });
    expect(hub.p95Ms).toBeGreaterThanOrEqual(hub.p50Ms ?? Number.POSITIVE_INFINITY);
    expect([hub.buckets.length, hub.buckets.reduce((sum, { succeeded }) => sum + succeeded, 0)]).toEqual([60, 2]);
    expect(digests).toEqual({ waiting: 1, due: 0, oldestDueAt: null });
    expect(workers.map(({ name }) => name)).toEqual(["digests", "deliveries", "processing records"]);
    const nothing = { waiting: 0, due: 0, oldestDueAt: null };
    expect(await service.tenant("acme").operator.work("7d")).toMatchObject({ leases: [], digests: nothing, hub: nothing });
  });
});
