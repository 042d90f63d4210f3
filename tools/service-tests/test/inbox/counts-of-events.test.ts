import { type CountsOfPlace, type InboxEvent, NotificationService } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { sharedTransports } from "../audiences/shared-transports.ts";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const WAIT = { timeout: 20_000, interval: 5 };

onEveryStorage((database) => {
  describe("the counts of events", () => {
    const services = async () => {
      const transports = sharedTransports(database);
      const all = [0, 1].map(() => stopsAfterTest(new NotificationService({ storage: database.storage(), ...transports() })));
      await Promise.all(all.map((one) => one.start()));
      return all as [NotificationService, NotificationService];
    };

    test("are those of the database after each change, here and in another process, and only the last event of a change has them", async () => {
      const [here, there] = await services();
      const inbox = here.inbox("ann");
      const told: InboxEvent[][] = [[], []];
      const beginning = { seq: 0, epoch: "0", rev: 0 };
      const following = [here, there].map((one, index) =>
        one.inbox("ann").subscribe({ onEvent: (event) => void told[index]?.push(event), onState: () => {} }, beginning),
      );
      await Promise.all(following.map(({ ready }) => ready));
      const lastCounts = () => told.map((events): CountsOfPlace | undefined => events.at(-1)?.counts);
      const create = async (more: object = {}) => (await here.create({ to: "ann", title: "A", ...more })).notification.id;
      const ids = [await create(), await create({ group: "g" }), await create({ group: "g" })];
      const [first = "", second = "", third = ""] = ids;
      const changes: readonly (() => Promise<unknown>)[] = [
        () => inbox.markRead(first),
        () => inbox.pin(first),
        () => inbox.markMany([second, third], "seen"),
        () => create({ replace: "k" }),
        () => create({ replace: "k" }),
        () => inbox.group("g").snooze(new Date(Date.now() + 3_600_000)),
        () => create({ group: "g" }),
        () => inbox.archiveAll({ filter: { types: ["notification"] }, upTo: 2 }),
        () => inbox.markAllSeen(),
        () => inbox.markAllRead(),
        () => here.delete(third),
        () => inbox.removeRead(),
      ];
      for (const change of changes) {
        await change();
        const counts = await inbox.counts();
        const { dueAt: _, isBehind: __, ...placed } = counts;
        await expect.poll(lastCounts, WAIT).toEqual([placed, placed]);
      }
      for (const events of told) {
        expect(events.filter(({ counts, left = 0 }) => (counts === undefined) !== left > 0)).toEqual([]);
      }
      for (const subscription of following) {
        subscription.close();
      }
    });
  });
});
