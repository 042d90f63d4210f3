import { NotificationService } from "@belfry/core";
import { testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const HOUR_MS = 3_600_000;
const WHOLE = [
  { verb: "markAllRead", event: "inbox.all_read", counts: { total: 2, unread: 0, unseen: 0 } },
  { verb: "markAllSeen", event: "inbox.all_seen", counts: { total: 2, unread: 2, unseen: 0 } },
] as const;

onEveryStorage((database) => {
  function serviceAt(clock = testClock()) {
    return stopsAfterTest(new NotificationService({ storage: database.storage(), clock, delivery: { worker: false }, logger: silent }));
  }

  describe.each(WHOLE)("$verb", ({ verb, event, counts }) => {
    test.each([{ key: "a key" }, { key: undefined }])(
      "counts what was due, and what was for everyone, before it, and is told after that, once: with $key",
      async ({ key }) => {
        const clock = testClock();
        const before = serviceAt(clock);
        const { notification } = await before.create({ to: "ann", title: "Snoozed" });
        await before.inbox("ann").snooze(notification.id, new Date(clock.now() + HOUR_MS));
        await before.create({ to: "everyone", title: "For everyone" });
        const service = serviceAt(testClock(new Date(clock.now() + HOUR_MS)));
        const inbox = service.inbox("ann");
        const told: unknown[] = [];
        service.on("item.woken", ({ item }) => void told.push(item.title));
        service.on(event, ({ count }) => void told.push(count));
        const mark = () => (key === undefined ? inbox[verb]() : inbox.withKey(key)[verb]());
        expect([await mark(), await mark()]).toEqual([2, key === undefined ? 0 : 2]);
        expect(told).toEqual(["Snoozed", 2]);
        expect(await inbox.counts()).toMatchObject({ ...counts, rev: 3 });
      },
    );

    test("begins an inbox, with what stands for everyone", async () => {
      const service = serviceAt();
      await service.create({ to: "everyone", title: "For everyone", standing: true });
      expect(await service.inbox("ann")[verb]()).toBe(1);
      const inbox = service.inbox("bob").withKey("a key");
      expect([await inbox[verb](), await inbox[verb]()]).toEqual([1, 1]);
      expect(await service.inbox("bob").counts()).toMatchObject({ total: 1, unseen: 0, rev: 1 });
    });
  });
});
