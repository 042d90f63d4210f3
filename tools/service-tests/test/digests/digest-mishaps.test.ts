import { type Channel, type DeliveryOutcome, type DeliveryTask, type Directory, defineTypes, NotificationService } from "@belfry/core";
import { FULL_WINDOW, type LoadedSend, type Storage } from "@belfry/core/storage";
import { type TestClock, testClock } from "@belfry/testkit/host";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const RETRY_MS = 5 * MINUTE_MS;

/** Whether the condition of the type throws. */
let isConditionBroken = false;

const types = defineTypes({
  note: { channels: { email: { digest: { windowMs: HOUR_MS, maxItems: 1_000 } } } },
  asked: {
    channels: {
      email: {
        digest: { windowMs: HOUR_MS },
        when: ({ data }) => {
          if (isConditionBroken && data.isOdd === true) {
            throw new Error("nobody knows");
          }
          return true;
        },
      },
    },
  },
});

const directory: Directory = (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));

/** A storage that fails a read of inboxes as often as it is told to, and says how many chains one transaction settled at the most. */
function watched(storage: Storage) {
  const state = { failures: 0, mostChains: 0 };
  const inbox = new Proxy(storage.inbox, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== "get" || typeof value !== "function") {
        return typeof value === "function" ? value.bind(target) : value;
      }
      return (...args: unknown[]) => {
        state.failures -= 1;
        return state.failures >= 0 ? Promise.reject(new Error("the disk is gone")) : value.apply(target, args);
      };
    },
  });
  const deliveries = new Proxy(storage.deliveries, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== "settle") {
        return typeof value === "function" ? value.bind(target) : value;
      }
      const settle: Storage["deliveries"]["settle"] = (selection, at, decide) =>
        target.settle(selection, at, (loaded: readonly LoadedSend[], now) => {
          const chains = loaded.reduce((sum, send) => sum + send.chains.length, 0);
          state.mostChains = Math.max(state.mostChains, chains);
          return decide(loaded, now);
        });
      return settle;
    },
  });
  const proxy = new Proxy(storage, {
    get(target, name) {
      const value: unknown = name === "inbox" ? inbox : name === "deliveries" ? deliveries : Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { storage: proxy, state };
}

onEveryStorage((database) => {
  function setUp(deliver: (task: DeliveryTask) => Promise<DeliveryOutcome> | DeliveryOutcome = () => delivered) {
    const tasks: DeliveryTask[] = [];
    const mails: Channel = {
      name: "email",
      retryDelaysMs: [RETRY_MS, RETRY_MS, RETRY_MS],
      timeoutMs: 30_000,
      invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
      async deliver(task) {
        tasks.push(task);
        return await deliver(task);
      },
    };
    const { storage, state } = watched(database.storage());
    const clock = testClock(new Date("2030-01-09T12:30:00Z"));
    const made = new NotificationService({ storage, clock, types, channels: [mails], directory, logger: silent });
    const service = stopsAfterTest(made) as unknown as NotificationService;
    const note = async (title: string, to = "ann") => (await service.create({ type: "note", to, title, message: "World" })).notification.id;
    const statusOf = async (id: string) => {
      const { deliveries } = await service.deliveries(id);
      return deliveries.flatMap(({ status, reason, attempts }) => [status, reason, ...attempts.map((attempt) => attempt.error)]);
    };
    return { service, clock, tasks, state, note, statusOf };
  }

  const delivered: DeliveryOutcome = { status: "delivered", provider: "email" };
  const busy: DeliveryOutcome = { status: "failed", transient: true, provider: "email", error: "busy" };
  const titlesOf = (tasks: readonly DeliveryTask[]) => tasks.map(({ title, digest }) => digest?.entries.map((one) => one.title) ?? [title]);

  async function passed(service: NotificationService, clock: TestClock, ms: number): Promise<void> {
    await service.runDue();
    await clock.skip(ms);
    await service.runDue();
  }

  describe("a digest whose carrier is deleted while it is delivered", () => {
    test("is delivered once", async () => {
      let remove = async () => {};
      const { service, clock, tasks, note, statusOf } = setUp(async () => {
        await remove();
        return delivered;
      });
      const [first, second, third] = [await note("one"), await note("two"), await note("three")];
      remove = () => service.delete(first);
      await passed(service, clock, HOUR_MS);
      expect(titlesOf(tasks)).toEqual([["one", "two", "three"]]);
      expect([await statusOf(second), await statusOf(third)]).toEqual([
        ["delivered", null, null],
        ["delivered", null],
      ]);
      await passed(service, clock, HOUR_MS);
      expect(tasks.length).toBe(1);
    });

    test("is tried again on its schedule by another entry, with the attempts it had", async () => {
      let remove = async () => {};
      const { service, clock, tasks, note, statusOf } = setUp(async ({ attempt }) => {
        if (attempt === 1) {
          await remove();
        }
        return attempt < 3 ? busy : delivered;
      });
      const [first, second, third] = [await note("one"), await note("two"), await note("three")];
      remove = () => service.delete(first);
      await passed(service, clock, HOUR_MS);
      expect(await statusOf(second)).toEqual(["pending", "bundled", "busy"]);
      await passed(service, clock, 1.2 * RETRY_MS);
      await passed(service, clock, 1.2 * RETRY_MS);
      expect(tasks.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
      expect(titlesOf(tasks).slice(1)).toEqual([
        ["two", "three"],
        ["two", "three"],
      ]);
      expect([await statusOf(second), await statusOf(third)]).toEqual([
        ["delivered", null, "busy", "busy", null],
        ["delivered", null],
      ]);
    });

    test("is not delivered twice if it is looked after before the attempt has ended", async () => {
      const { promise: answer, resolve: answerNow } = Promise.withResolvers<DeliveryOutcome>();
      const later: DeliveryOutcome = { ...busy, retryAfterMs: 10 * MINUTE_MS - 5_000 };
      const { service, clock, tasks, note, statusOf } = setUp(({ attempt }) => (attempt === 1 ? later : answer));
      const [first, second] = [await note("one"), await note("two")];
      await passed(service, clock, HOUR_MS);
      await clock.skip(10 * MINUTE_MS - 5_000);
      const run = service.runDue();
      await vi.waitFor(() => expect(tasks.length).toBe(2));
      await service.delete(first);
      await clock.skip(5_000);
      const dueAt = async () => (await service.deliveries(second)).deliveries[0]?.dueAt ?? null;
      await vi.waitFor(async () => expect(await dueAt()).not.toBeNull());
      answerNow(delivered);
      await run;
      await passed(service, clock, HOUR_MS);
      expect([titlesOf(tasks), await statusOf(second)]).toEqual([
        [
          ["one", "two"],
          ["one", "two"],
        ],
        ["delivered", null, null],
      ]);
    });
  });

  describe("a digest that cannot be rendered", () => {
    test("waits for its database however often that fails, and leaves out nothing", async () => {
      const { service, clock, tasks, state, note, statusOf } = setUp();
      const ids = [await note("one"), await note("two")];
      await service.runDue();
      state.failures = 16;
      for (let round = 0; round < 12; round += 1) {
        await passed(service, clock, HOUR_MS);
      }
      expect(state.failures).toBeLessThan(0);
      expect(titlesOf(tasks)).toEqual([["one", "two"]]);
      expect(await Promise.all(ids.map(statusOf))).toEqual([
        ["delivered", null, null],
        ["delivered", null],
      ]);
    });

    test("goes out without the entry whose condition always throws, which fails with its words", async () => {
      const { service, clock, tasks, statusOf } = setUp();
      const asked = async (isOdd: boolean) =>
        (await service.create({ type: "asked", to: "ann", title: isOdd ? "odd" : "even", message: "World", data: { isOdd } })).notification
          .id;
      const ids = [await asked(true), await asked(false)];
      isConditionBroken = true;
      for (let round = 0; round < 6; round += 1) {
        await passed(service, clock, HOUR_MS);
      }
      isConditionBroken = false;
      expect(titlesOf(tasks)).toEqual([["even"]]);
      expect(await Promise.all(ids.map(statusOf))).toEqual([
        ["failed", null, 'The condition of the type "asked" threw: nobody knows'],
        ["delivered", null, null],
      ]);
    });
  });

  describe("a window with very many entries", () => {
    test("is full, and others open another: no transaction has all of them", { timeout: 120_000 }, async () => {
      const { service, clock, tasks, state, note } = setUp();
      const count = 2 * FULL_WINDOW;
      for (let made = 0; made < count; made += 100) {
        await Promise.all(Array.from({ length: 100 }, (_, place) => note(`note ${made + place}`)));
      }
      await passed(service, clock, HOUR_MS);
      await passed(service, clock, HOUR_MS);
      const totals = tasks.map(({ digest }) => digest?.total ?? 1);
      expect(totals.reduce((sum, total) => sum + total, 0)).toBe(count);
      expect(totals.length).toBe(2);
      expect(Math.max(...totals)).toBeLessThan(FULL_WINDOW + 256);
      expect(state.mostChains).toBeLessThan(600);
      expect((await service.list({ status: "pending", limit: 1 })).total).toBe(0);
    });
  });
});
