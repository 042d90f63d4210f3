import { BelfryError, type Channel, defineTypes, NotificationService } from "@belfry/core";
import { recorder, testClock } from "@belfry/testkit/host";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { useSqliteDatabase } from "../sqlite-database.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

onEveryStorage((database) => {
  test("deliveries of a claim whose answer was lost go out at once, and count once", async () => {
    const storage = database.storage();
    const claim = storage.deliveries.leases.claim.bind(storage.deliveries.leases);
    vi.spyOn(storage.deliveries.leases, "claim").mockImplementationOnce(async (request) => {
      await claim(request);
      throw new BelfryError("STORAGE_UNAVAILABLE", "The connection was lost.");
    });
    const recipients: string[] = [];
    const channel: Channel = {
      name: "test",
      retryDelaysMs: [],
      timeoutMs: 1_000,
      invalidRecipient: () => null,
      async deliver({ recipient }) {
        recipients.push(recipient);
        return { status: "delivered", provider: "test" };
      },
    };
    const errors: unknown[] = [];
    const logger = { ...silent, error: (details: unknown) => void errors.push(details) };
    const notifications = stopsAfterTest(new NotificationService({ storage, channels: [channel], logger, delivery: { concurrency: 2 } }));
    const {
      notification: { id },
    } = await notifications.create({ channels: ["test"], to: ["ann", "bob", "carl"], message: "Hello" });
    await vi.waitFor(() => expect(errors).toHaveLength(1));
    await notifications.runDue();
    expect(recipients.sort()).toEqual(["ann", "bob", "carl"]);
    const { deliveries } = await notifications.deliveries(id);
    expect(deliveries.map(({ status, attempt, attempts }) => [status, attempt, attempts.length])).toEqual([
      ["delivered", 1, 1],
      ["delivered", 1, 1],
      ["delivered", 1, 1],
    ]);
  });

  test.each(["suppressions", "pauses", "digests", "counts"] as const)(
    "a database that is out of reach before an attempt costs none of the attempts: the %s cannot be read",
    async (part) => {
      const storage = database.storage();
      const reads = {
        suppressions: vi.spyOn(storage.suppressions, "of"),
        pauses: vi.spyOn(storage.holds, "pauses"),
        digests: vi.spyOn(storage.digests, "bundleOf"),
        counts: vi.spyOn(storage.inbox, "counts"),
      };
      const clock = testClock(new Date("2030-01-01T00:00:00Z"));
      const retryDelaysMs = [300_000];
      const push = recorder({ name: "push", retryDelaysMs });
      const mail = recorder({ retryDelaysMs });
      const channels: readonly Channel[] = [mail, { ...push, devices: ["fcm"] }];
      const { tasks } = part === "counts" ? push : mail;
      const types = defineTypes({
        ...{ note: { channels: { email: true } }, news: { channels: { email: { digest: { windowMs: 60_000 } } } } },
        alert: { channels: { push: true } },
      });
      const type = { suppressions: "note", pauses: "note", digests: "news", counts: "alert" } as const;
      const directory = () => new Map([["ann", { email: "ann@example.com" }]]);
      const options = { storage, clock, types, channels, directory, logger: silent };
      const notifications = stopsAfterTest(new NotificationService(options));
      await notifications.devices.register("ann", { platform: "fcm", token: "phone" });
      // Where there is none, no address is looked for.
      await notifications.suppressions.add({ channel: "email", address: "nobody@example.com" });
      const { notification } = await notifications.create({ type: type[part], to: "ann", message: "Hello" });
      reads[part].mockClear().mockRejectedValue(new BelfryError("STORAGE_UNAVAILABLE", "The connection was lost."));
      await notifications.runDue();
      await clock.skip(60_000);
      for (let second = 0; second < 4; second += 1) {
        await notifications.runDue();
        await clock.skip(1_000);
      }
      expect([reads[part].mock.calls.length > 2, tasks]).toEqual([true, []]);
      reads[part].mockRestore();
      await clock.skip(10_000);
      await notifications.runDue();
      expect(tasks).toHaveLength(1);
      const { deliveries } = await notifications.deliveries(notification.id);
      expect(deliveries).toMatchObject([{ status: "delivered", attempt: 1, attempts: [{ attempt: 1, status: "delivered" }] }]);
    },
  );

  test("a delivery that can never begin is tried ever more rarely, then fails like others and says why", async () => {
    const storage = database.storage();
    const read = vi.spyOn(storage.suppressions, "of");
    const clock = testClock(new Date("2030-01-01T00:00:00Z"));
    const channel = recorder();
    const notifications = stopsAfterTest(new NotificationService({ storage, clock, channels: [channel], logger: silent }));
    await notifications.suppressions.add({ channel: "email", address: "nobody@example.com" });
    const { notification } = await notifications.create({ to: { email: "ann@example.com" }, message: "Hello" });
    read.mockClear().mockRejectedValue(new BelfryError("STORAGE_UNAVAILABLE", "The statement took too long."));
    const passes = async (minutes: number) => {
      await notifications.runDue();
      for (let minute = 0; minute < minutes; minute += 1) {
        await clock.skip(60_000);
        await notifications.runDue();
      }
    };
    await passes(8);
    const dueAt = new Date(clock.now() + 60_000);
    expect((await notifications.deliveries(notification.id)).deliveries).toMatchObject([
      { status: "pending", attempt: 0, dueAt, attempts: [] },
    ]);
    await passes(14);
    const failed = { status: "failed", provider: "email", error: "The statement took too long.", isTransient: true };
    expect((await notifications.deliveries(notification.id)).deliveries).toMatchObject([{ status: "failed", attempts: [failed] }]);
    expect([channel.tasks, read.mock.calls.length]).toEqual([[], 21]);
  });

  test("an endpoint that is gone is left alone, until somebody retries and it answers", async () => {
    const asked: string[] = [];
    let isGone = true;
    const channel: Channel = {
      name: "test",
      retryDelaysMs: [],
      timeoutMs: 1_000,
      invalidRecipient: () => null,
      async deliver({ recipient }) {
        asked.push(recipient);
        return isGone
          ? { status: "failed", transient: false, provider: "test", error: "410", isEndpointGone: true }
          : { status: "delivered", provider: "test" };
      },
    };
    const notifications = stopsAfterTest(new NotificationService({ storage: database.storage(), channels: [channel] }));
    const send = async (to: string) => {
      const {
        notification: { id },
      } = await notifications.create({ channels: ["test"], to, message: "Hello" });
      await notifications.runDue();
      return id;
    };
    const errorOf = async (id: string) => (await notifications.deliveries(id)).deliveries[0]?.attempts.at(-1)?.error;
    expect(await errorOf(await send("here"))).toBe("410");
    const second = await send("here");
    expect(await errorOf(second)).toMatch(/^The endpoint said that it is gone; nothing is sent to it before 20/);
    await send("elsewhere");
    expect(asked).toEqual(["here", "elsewhere"]);
    isGone = false;
    await notifications.retry(second);
    await notifications.runDue();
    const third = await send("here");
    expect([(await notifications.get(second)).status, (await notifications.get(third)).status]).toEqual(["delivered", "delivered"]);
    expect(asked).toEqual(["here", "elsewhere", "here", "here"]);
  });
});

// What becomes of the entries is the core's decision; the waits before it take a database long.
describe("on SQLite alone", () => {
  const database = useSqliteDatabase();

  test.each(["note", "news"] as const)("waits for the database that are over do not count for a later outage: a %s", async (type) => {
    const storage = database.storage();
    const read = vi.spyOn(storage.suppressions, "of");
    const clock = testClock(new Date("2030-01-01T00:00:00Z"));
    const lose = () => read.mockRejectedValue(new BelfryError("STORAGE_UNAVAILABLE", "The connection was lost."));
    const answers = [{ status: "failed", transient: true, error: "busy" }, { status: "delivered" }] as const;
    let calls = 0;
    const answer = () => {
      calls += 1;
      lose();
      return answers[calls - 1];
    };
    const channel = recorder({ retryDelaysMs: [1_000], answer });
    const types = defineTypes({ note: { channels: { email: true } }, news: { channels: { email: { digest: { windowMs: 60_000 } } } } });
    const directory = () => new Map([["ann", { email: "ann@example.com" }]]);
    const options = { storage, clock, types, channels: [channel], directory, logger: silent };
    const notifications = stopsAfterTest(new NotificationService(options));
    await notifications.suppressions.add({ channel: "email", address: "nobody@example.com" });
    const { notification } = await notifications.create({ type, to: "ann", message: "Hello" });
    const outage = async () => {
      for (let minute = 0; minute < 12; minute += 1) {
        await notifications.runDue();
        await clock.skip(60_000);
      }
      read.mockReset();
      await clock.skip(60_000);
      await notifications.runDue();
    };
    lose();
    await outage();
    expect(calls).toBe(1);
    await outage();
    const { deliveries } = await notifications.deliveries(notification.id);
    const attempts = [{ status: "failed", error: "busy" }, { status: "delivered" }];
    expect(deliveries).toMatchObject([{ status: "delivered", attempt: 2, attempts }]);
  });

  test("a digest that can never begin fails with everything in it", async () => {
    const storage = database.storage();
    const read = vi.spyOn(storage.suppressions, "of");
    const clock = testClock(new Date("2030-01-01T00:00:00Z"));
    const channel = recorder();
    const types = defineTypes({ news: { channels: { email: { digest: { windowMs: 60_000 } } } } });
    const directory = () => new Map([["ann", { email: "ann@example.com" }]]);
    const options = { storage, clock, types, channels: [channel], directory, logger: silent };
    const notifications = stopsAfterTest(new NotificationService(options));
    await notifications.suppressions.add({ channel: "email", address: "nobody@example.com" });
    const entries = [
      await notifications.create({ type: "news", to: "ann", message: "One" }),
      await notifications.create({ type: "news", to: "ann", message: "Two" }),
    ];
    read.mockRejectedValue(new BelfryError("STORAGE_UNAVAILABLE", "The statement took too long."));
    for (let minute = 0; minute < 25; minute += 1) {
      await notifications.runDue();
      await clock.skip(60_000);
    }
    const states = await Promise.all(entries.map(async ({ notification }) => (await notifications.get(notification.id)).status));
    expect([states, channel.tasks]).toEqual([["failed", "failed"], []]);
  });
});
