import { BelfryError, type Channel, type DeliveryTask, NotificationService } from "@belfry/core";
import type { NewSend } from "@belfry/core/storage";
import { expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const LEASE_MS = 60_000;

onEveryStorage((database) => {
  /** A service whose worker has looked once, and waits for work. With `looks: false`, it has not looked, and begins nothing without a claim. */
  async function opened(options: { readonly clock?: { nowMs: number }; readonly looks?: boolean; readonly concurrency?: number } = {}) {
    const requests: DeliveryTask[] = [];
    const channel: Channel = {
      name: "test",
      retryDelaysMs: [0],
      timeoutMs: 1_000,
      invalidRecipient: () => null,
      async deliver(request) {
        requests.push(request);
        return { status: "delivered", provider: "test" };
      },
    };
    const storage = database.storage();
    const claim = vi.spyOn(storage.deliveries.leases, "claim");
    const { clock, concurrency = 100 } = options;
    const at = clock === undefined ? {} : { clock: { now: () => clock.nowMs, after: () => () => {} } };
    const service = new NotificationService({
      storage,
      channels: [channel],
      logger: silent,
      delivery: { leaseMs: LEASE_MS, concurrency },
      ...at,
    });
    stopsAfterTest(service);
    if (options.looks ?? true) {
      await service.runDue();
    }
    return { service, storage, requests, claim };
  }

  async function statesOf(service: NotificationService, id: string) {
    const { deliveries } = await service.deliveries(id);
    return deliveries.map(({ recipient, status, attempt, attempts }) => [recipient, status, attempt, attempts.length]);
  }

  const message = { channels: ["test"], message: "Hello", data: { order: { id: 7, parts: ["a", "b"] } } };

  test("what is due at once begins after the commit, without a claim", async () => {
    const { service, storage, requests, claim } = await opened();
    claim.mockClear();
    const seen: unknown[] = [];
    const createFreeSends = storage.deliveries.createFreeSends.bind(storage.deliveries);
    vi.spyOn(storage.deliveries, "createFreeSends").mockImplementation(async (sends, at) => {
      const created = await createFreeSends(sends, at);
      seen.push(requests.length);
      return created;
    });
    const { notification } = await service.create({ ...message, to: ["ann", "bob"] });
    await vi.waitFor(async () =>
      expect(await statesOf(service, notification.id)).toEqual([
        ["ann", "delivered", 1, 1],
        ["bob", "delivered", 1, 1],
      ]),
    );
    expect(seen).toEqual([0]);
    // A look from time to time may claim; what began at once was not among what it found.
    for (const { value } of claim.mock.results) {
      expect(await value).toEqual([]);
    }
    expect((await service.get(notification.id)).status).toBe("delivered");
  });

  test("a channel gets the same as from a claim", async () => {
    const { service, requests } = await opened();
    const given = { ...message, title: "Title", to: "ann", url: "https://example.com/1", priority: "high" } as const;
    await service.create({ ...given });
    await vi.waitFor(() => expect(requests).toHaveLength(1));
    const batch = await service.prepare({ ...given });
    await database.transaction((tx) => batch.write(tx));
    await service.runDue();
    expect(requests).toHaveLength(2);
    const [first, second] = requests.map((request) =>
      JSON.parse(
        JSON.stringify(request, (key, value) => (/^(id|deliveryId|notificationId|createdAt|unsubscribe.*)$/.test(key) ? null : value)),
      ),
    );
    expect(first).toEqual(second);
  });

  test("what is due later, or over a channel that pauses, waits for its claim", async () => {
    const { service, requests } = await opened();
    const { notification } = await service.create({ ...message, to: "ann", scheduledAt: new Date(Date.now() + 3_600_000) });
    expect(await statesOf(service, notification.id)).toEqual([["ann", "pending", 0, 0]]);
    expect(requests).toEqual([]);
  });

  test("what needs a claim is delivered, too, when the clock goes back between the commit and the claim", async () => {
    const clock = { nowMs: Date.now() };
    const { service, claim, requests } = await opened({ clock, looks: false });
    const { notification } = await service.create({ ...message, to: "ann" });
    expect([claim.mock.calls.length, requests.length]).toEqual([0, 0]);
    clock.nowMs -= 3_600_000;
    await vi.waitFor(async () => expect(await statesOf(service, notification.id)).toEqual([["ann", "delivered", 1, 1]]));
  });

  test("sends that wait for an inbox take no turns from others", async () => {
    const { service, storage, requests } = await opened({ concurrency: 1 });
    const { promise: isFree, resolve: free } = Promise.withResolvers<void>();
    const isHeld = ({ inboxRecipients }: NewSend) => inboxRecipients.includes("ann");
    const createSends = storage.deliveries.createSends.bind(storage.deliveries);
    vi.spyOn(storage.deliveries, "createFreeSends").mockImplementation(async (sends, at) => {
      const free = sends.filter((send) => !isHeld(send));
      const created = free.length > 0 ? await createSends(free, at) : [];
      return sends.map((send) => created[free.indexOf(send)] ?? null);
    });
    vi.spyOn(storage.deliveries, "createSends").mockImplementation(async (sends, at) => {
      await isFree;
      return createSends(sends, at);
    });
    const both = { ...message, channels: ["inbox", "test"] };
    const late = [1, 2].map(() => service.create({ ...both, to: "ann" }));
    const { notification } = await service.create({ ...both, to: "bob" });
    await vi.waitFor(async () => expect(await statesOf(service, notification.id)).toContainEqual(["bob", "delivered", 1, 1]));
    free();
    await Promise.all(late);
    await service.runDue();
    expect(requests.map(({ recipient }) => recipient)).toEqual(["bob", "ann", "ann"]);
  });

  test("a create that fails gives its turn to what waits for it", async () => {
    const { service, storage, requests } = await opened({ concurrency: 1 });
    const { promise: isAsked, resolve: ask } = Promise.withResolvers<void>();
    const { promise: failure, reject: fail } = Promise.withResolvers<never>();
    vi.spyOn(storage.deliveries, "createFreeSends").mockImplementationOnce(() => {
      ask();
      return failure;
    });
    const failed = expect(service.create({ ...message, to: "ann" })).rejects.toThrow("refused");
    await isAsked;
    // It has no turn, and waits for that of the other.
    const batch = await service.prepare({ ...message, to: "bob" });
    await database.transaction((tx) => batch.write(tx));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(requests).toEqual([]);
    fail(new Error("refused"));
    await failed;
    await vi.waitFor(() => expect(requests.map(({ recipient }) => recipient)).toEqual(["bob"]));
  });

  test("a create whose answer was lost is delivered once", async () => {
    const { service, storage, requests } = await opened();
    const createFreeSends = storage.deliveries.createFreeSends.bind(storage.deliveries);
    vi.spyOn(storage.deliveries, "createFreeSends").mockImplementationOnce(async (sends, at) => {
      await createFreeSends(sends, at);
      throw new BelfryError("STORAGE_UNAVAILABLE", "The connection was lost.");
    });
    const { notification } = await service.create({ ...message, to: ["ann", "bob"] });
    await service.runDue();
    expect(requests.map(({ recipient }) => recipient).sort()).toEqual(["ann", "bob"]);
    expect(await statesOf(service, notification.id)).toEqual([
      ["ann", "delivered", 1, 1],
      ["bob", "delivered", 1, 1],
    ]);
  });

  test("what a process left that died after the commit is delivered once its lease ran out", async () => {
    const clock = { nowMs: Date.now() };
    const ended = Promise.withResolvers<void>();
    const { service, storage, requests } = await opened({ clock });
    const createFreeSends = storage.deliveries.createFreeSends.bind(storage.deliveries);
    vi.spyOn(storage.deliveries, "createFreeSends").mockImplementation(async (sends, at) => {
      await createFreeSends(sends, at);
      // As if the process ended here: it hears nothing more, and begins nothing.
      await ended.promise;
      throw new Error("The process has ended.");
    });
    // On SQLite, a worker that begins takes over what others hold: there is one at a time.
    const other = await opened({ clock });
    const created = expect(service.create({ ...message, to: "ann", idempotencyKey: "once" })).rejects.toThrow("The process has ended.");
    await vi.waitFor(async () => expect((await other.service.list()).total).toBe(1));
    await other.service.runDue();
    expect(other.requests).toEqual([]);
    clock.nowMs += LEASE_MS + 1;
    await other.service.runDue();
    const [send] = (await other.service.list()).sends;
    expect([requests.length, other.requests.length]).toEqual([0, 1]);
    expect(await statesOf(other.service, send?.id ?? "")).toEqual([["ann", "delivered", 2, 2]]);
    ended.resolve();
    await created;
  });
});
