import { NotificationService } from "@belfry/core";
import { testClock, turns } from "@belfry/testkit/host";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { failing } from "../outage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

onEveryStorage((database) => {
  let complaints: string[];
  const unhandled = vi.fn();

  beforeEach(() => {
    complaints = [];
    unhandled.mockClear();
    process.on("unhandledRejection", unhandled);
  });
  afterEach(() => void process.off("unhandledRejection", unhandled));

  function service(clock = testClock()) {
    const complain = (_: object, message: string) => void complaints.push(message);
    const logger = { debug() {}, info() {}, warn: complain, error: complain };
    const database_ = failing(database.storage());
    const transport = { pollIntervalMs: 0, start: async () => {}, publish() {}, stop: async () => {} };
    return {
      database: database_,
      notifications: stopsAfterTest(new NotificationService({ storage: database_.storage, transport, clock, logger })),
    };
  }

  test("an error of an asynchronous listener is logged", async () => {
    const { notifications } = service();
    const failure: () => unknown = async () => {
      throw new Error("the host's own fault");
    };
    notifications.on("notification.created", failure);
    await notifications.create({ to: "ann" });
    await turns(2);
    expect([complaints, unhandled.mock.calls]).toEqual([["A listener of Belfry's events threw an error."], []]);
  });

  test("a subscription that nobody awaits, while the database is down, is logged and over", async () => {
    const { database: down, notifications } = service();
    down.isDown = true;
    notifications.inbox("ann").subscribe({ onEvent: () => {}, onState: () => {} });
    notifications.hub.events.subscribe("mail", { onEvent: () => {}, onSettled: () => {} });
    const ends = () => complaints.filter((line) => line.includes("begin to follow"));
    await expect.poll(() => ends().length).toBe(2);
    expect(ends().toSorted()).toEqual([
      "Belfry could not begin to follow a source of the hub; the subscription is over.",
      "Belfry could not begin to follow an inbox; the subscription is over.",
    ]);
    expect(unhandled).not.toHaveBeenCalled();
  });

  test.each(["close", "stop"] as const)(
    "a followed inbox whose database is down is read once a second, and never after a %s",
    async (end) => {
      const clock = testClock();
      const storage = failing(database.storage());
      const listeners: { onSignals(signals: readonly unknown[]): void }[] = [];
      const transport = {
        pollIntervalMs: 0,
        start: async (listener: never) => void listeners.push(listener),
        publish() {},
        stop: async () => {},
      };
      const complain = (_: object, message: string) => void complaints.push(message);
      const logger = { debug() {}, info() {}, warn: complain, error: complain };
      const notifications = stopsAfterTest(new NotificationService({ storage: storage.storage, transport, clock, logger }));
      const states: boolean[] = [];
      const subscription = notifications.inbox("ann").subscribe({ onEvent: () => {}, onState: (recovered) => void states.push(recovered) });
      await subscription.ready;
      storage.isDown = true;
      const tenant = notifications.defaultTenant.tenantId;
      for (let seq = 2; seq <= 21; seq += 1) {
        listeners[0]?.onSignals([{ tenant, userId: "ann", change: "created", seq, epoch: "e" }]);
      }
      await turns(3);
      // Presence has its own to tell.
      const reads = () => storage.failures.filter((method) => ["listAfter", "changesAfter"].includes(method)).length;
      const lines = () => complaints.filter((line) => line.includes("read an inbox")).length;
      expect([reads(), lines()]).toEqual([1, 1]);
      await clock.pass(10_000);
      expect([reads(), lines()]).toEqual([11, 1]);
      await (end === "close" ? subscription.close() : notifications.stop());
      await clock.pass(60_000);
      expect([reads(), states]).toEqual([11, []]);
      storage.isDown = false;
    },
  );
});
