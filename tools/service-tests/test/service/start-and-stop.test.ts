import { type BelfryError, NotificationService } from "@belfry/core";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";

const users = (count: number) => Array.from({ length: count }, (_, at) => `user${at}`);

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "done",
    (error: BelfryError) => error.code ?? String(error),
  );

onEveryStorage((database) => {
  const service = (options: object = {}) => new NotificationService({ storage: database.storage(), logger: silent, ...options });

  test("a stop while a create for 100,000 users fans out ends the chunk at hand and begins no other; the next start goes on", async () => {
    const storage = database.storage();
    let chunks = 0;
    const fanOutNext = storage.inbox.fanOutNext.bind(storage.inbox);
    Object.assign(storage.inbox, {
      fanOutNext: async (at: Date) => {
        const chunk = await fanOutNext(at);
        chunks += chunk === null ? 0 : 1;
        return chunk;
      },
    });
    const notifications = service({ storage });
    await notifications.start();
    await notifications.create({ to: users(100_000), title: "All" });
    await expect.poll(() => chunks).toBeGreaterThan(0);
    await notifications.stop();
    const atStop = chunks;
    expect(atStop).toBeLessThan(400);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(chunks).toBe(atStop);
    await notifications.start();
    await expect.poll(() => chunks).toBeGreaterThan(atStop);
    await notifications.stop();
  });

  test("starts and stops at once: the last one counts, all of them are answered, and what is accepted is delivered", async () => {
    const notifications = service();
    const orders = ["start", "start", "stop", "stop", "start", "stop", "start", "start"] as const;
    const answers = orders.map((order) => codeOf(notifications[order]()));
    expect(await Promise.all(answers)).toEqual([
      "SERVICE_STOPPED",
      "SERVICE_STOPPED",
      "done",
      "done",
      "SERVICE_STOPPED",
      "done",
      "done",
      "done",
    ]);
    const { id } = await notifications.trackFromContract({ to: "ann", message: "x" });
    // Nobody is connected.
    await expect.poll(async () => (await notifications.get(id)).status).toBe("failed");
    await Promise.all([notifications.stop(), notifications.stop()]);
    expect(await codeOf(notifications.create({ to: "ann" }))).toBe("SERVICE_STOPPED");
    await notifications.stop();
  });

  test("calls in flight at a stop finish, and later ones are refused", async () => {
    const notifications = service();
    await notifications.start();
    const batch = await notifications.prepare({ to: "ann" });
    const inbox = notifications.inbox("ann");
    const inFlight = [
      notifications.create({ to: users(60_000), title: "All" }),
      notifications.create({ to: "ann" }),
      notifications.trackFromContract({ to: "ann", message: "x" }),
      notifications.hub.handlers.create({ source: "mail", prompt: "x" }),
      notifications.hub.events.create({ source: "mail", title: "x", content: "x" } as never).catch((error: BelfryError) => {
        expect(error.code).toBe("VALIDATION_ERROR");
      }),
      inbox.list(),
      inbox.markAllRead(),
      notifications.apiKeys.list(),
      notifications.operator.search({}),
    ].map(codeOf);
    await new Promise((resolve) => setImmediate(resolve));
    const stopped = notifications.stop();
    const later = [
      notifications.create({ to: "ann" }),
      notifications.trackFromContract({ to: "ann", message: "x" }),
      notifications.hub.handlers.create({ source: "mail", prompt: "x" }),
      inbox.counts(),
      notifications.runDue(),
      inbox.subscribe({ onEvent: () => {}, onState: () => {} }).ready,
      database.transaction((tx) => batch.write(tx)),
    ].map(codeOf);
    expect(new Set(await Promise.all(later))).toEqual(new Set(["SERVICE_STOPPED"]));
    await stopped;
    expect(new Set(await Promise.all(inFlight))).toEqual(new Set(["done"]));
    expect(await codeOf(inbox.counts())).toBe("SERVICE_STOPPED");
    expect(await codeOf(database.transaction((tx) => batch.write(tx)))).toBe("SERVICE_STOPPED");
  });

  describe("a subscription", () => {
    test("that has just begun when the service stops is over, which its caller is told and nothing complains of", async () => {
      const storage = database.storage();
      const complaints: string[] = [];
      const complain = (_: object, message: string) => void complaints.push(message);
      const notifications = service({ storage, logger: { debug() {}, info() {}, warn: complain, error: complain } });
      await notifications.start();
      const reading = Promise.withResolvers<void>();
      const closed = Promise.withResolvers<never>();
      const counts = vi.spyOn(storage.inbox, "counts").mockImplementation(() => {
        reading.resolve();
        return closed.promise;
      });
      const begun = codeOf(notifications.inbox("ann").subscribe({ onEvent: () => {}, onState: () => {} }).ready);
      await reading.promise;
      const stopped = notifications.stop();
      const late = codeOf(notifications.inbox("bob").subscribe({ onEvent: () => {}, onState: () => {} }).ready);
      closed.reject(new Error("The connection was closed."));
      expect([await begun, await late]).toEqual(["SERVICE_STOPPED", "SERVICE_STOPPED"]);
      await stopped;
      expect(complaints).toEqual([]);
      counts.mockRestore();
    });

    test("rests while the service is stopped, and then gets the changes it missed", async () => {
      const notifications = service();
      const other = service();
      await Promise.all([notifications.start(), other.start()]);
      const heard: (string | undefined)[] = [];
      const subscription = notifications.inbox("ann").subscribe({ onEvent: ({ item }) => void heard.push(item?.title), onState: () => {} });
      await subscription.ready;
      await notifications.create({ to: "ann", title: "before" });
      await expect.poll(() => heard).toEqual(["before"]);
      await notifications.stop();
      await other.create({ to: "ann", title: "meanwhile" });
      await notifications.start();
      await expect.poll(() => heard).toEqual(["before", "meanwhile"]);
      await notifications.create({ to: "ann", title: "after" });
      await expect.poll(() => heard).toEqual(["before", "meanwhile", "after"]);
      subscription.close();
      await Promise.all([notifications.stop(), other.stop()]);
    });
  });
});
