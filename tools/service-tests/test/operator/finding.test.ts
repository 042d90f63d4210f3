import { type Channel, type Directory, NotificationService, type Processor } from "@belfry/core";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

onEveryStorage((database) => {
  const mail: Channel = {
    name: "email",
    retryDelaysMs: [],
    timeoutMs: 5_000,
    invalidRecipient: (address) => (address.includes("@") ? null : "is no address"),
    deliver: async ({ recipient }) => ({ status: "sent", provider: "test", messageId: `<${recipient}>` }),
  };

  describe("a user's notifications", () => {
    const serviceWith = (directory: Directory) =>
      stopsAfterTest(new NotificationService({ storage: database.storage(), channels: [mail], directory, logger: silent }));

    async function create(service: NotificationService) {
      const toUser = await service.create({ to: "ann", channels: ["email"], title: "One" });
      const toAddress = await service.create({ to: { email: "ann@example.com" }, title: "Two" });
      await service.create({ to: "anna", title: "Three" });
      await service.runDue();
      return [toAddress.notification.id, toUser.notification.id];
    }

    test("are found by the user, whichever address they went to", async () => {
      const service = serviceWith((ids) => new Map(ids.map((id) => [id, { email: `${id}@Example.com`, locale: "en" }])));
      const ids = await create(service);
      const { notifications } = await service.operator.search({ user: "ann" });
      expect(notifications.map(({ id }) => id)).toEqual(ids);
      expect(await service.operator.count({ user: "ann" })).toBe(2);
      expect(await service.operator.count({ user: "ann", providerId: "ann@example.com" })).toBe(1);
      expect(await service.operator.retries.start({ user: "ann" })).toMatchObject({ matched: 0, filter: { user: "ann" } });
    });

    test("are found by the user alone while the directory fails", async () => {
      const service = serviceWith(() => {
        throw new Error("The directory is down.");
      });
      const [, toUser] = await create(service);
      const { notifications } = await service.operator.search({ user: "ann" });
      expect(notifications.map(({ id }) => id)).toEqual([toUser]);
    });

    test("by a beginning are paged through with cursors of that search alone", async () => {
      const service = serviceWith(() => new Map());
      await create(service);
      const first = await service.operator.search({ recipientPrefix: "AN", limit: 2 });
      const cursor = first.nextCursor ?? "";
      const second = await service.operator.search({ recipientPrefix: "AN", limit: 2, cursor });
      expect([...first.notifications, ...second.notifications].map(({ title }) => title)).toEqual(["Three", "Two", "One"]);
      await expect(service.operator.search({ recipientPrefix: "A", cursor })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
    });
  });

  describe("processing records", () => {
    /** A processor that fails until it is repaired. */
    function setUp() {
      const state = { works: false };
      const processor: Processor = {
        name: "test",
        timeoutMs: 5_000,
        concurrency: 5,
        process: async () =>
          state.works
            ? { status: "completed", text: "Fine" }
            : { status: "failed", transient: false, error: "The model is out of service." },
      };
      const storage = database.storage();
      return { state, service: stopsAfterTest(new NotificationService({ storage, hub: { processor }, logger: silent })) };
    }

    test("that failed are found by their error, and run again by name", async () => {
      const { state, service } = setUp();
      await service.hub.handlers.create({ source: "shop", prompt: "What happened?" });
      const event = await service.hub.events.create({ source: "shop", sender: "till 3", content: "Paper jam" });
      const { records: search } = service.operator;
      const failed = await vi.waitFor(async () => {
        const { records } = await search.search({ state: "failed", error: "OUT OF SERVICE" });
        expect(records).toMatchObject([{ notificationId: event.id, prompt: "What happened?", sender: "till 3", excerpt: "Paper jam" }]);
        return records[0]?.id ?? "";
      });
      expect((await service.operator.search({ error: "out of service" })).notifications).toMatchObject([
        { id: event.id, lastError: "The model is out of service." },
      ]);
      state.works = true;
      await search.retry(failed, { actor: "ann" });
      await vi.waitFor(async () =>
        expect((await search.search({ state: "completed" })).records).toMatchObject([{ id: failed, error: null }]),
      );
      expect((await service.timeline(event.id)).audit).toMatchObject([{ action: "retried", actor: "ann" }]);
      await expect(search.retry(failed)).rejects.toMatchObject({ code: "INVALID_STATE" });
      await expect(search.retry(event.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("come in pages, with cursors of that search alone", async () => {
      const { service } = setUp();
      for (const prompt of ["One", "Two", "Three"]) {
        await service.hub.handlers.create({ source: "shop", prompt });
      }
      await service.hub.events.create({ source: "shop", sender: "till 3", content: "Paper jam" });
      const { records } = service.operator;
      const first = await records.search({ limit: 2 });
      const cursor = first.nextCursor ?? "";
      const second = await records.search({ limit: 2, cursor });
      expect([...first.records, ...second.records].map(({ prompt }) => prompt).sort()).toEqual(["One", "Three", "Two"]);
      await expect(records.search({ source: "shop", cursor })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
      await expect(records.search({ cursor: `${cursor}x` })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
    });
  });
});
