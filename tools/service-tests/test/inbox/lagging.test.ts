import { NotificationService } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

onEveryStorage((database) => {
  describe("reads that may be behind, without a replica", () => {
    test("are those of now, and say so", async () => {
      const notifications = stopsAfterTest(new NotificationService({ storage: database.storage() }));
      const inbox = notifications.inbox("ann");
      expect(await inbox.mayLag().counts()).toMatchObject({ total: 0, lagMs: 0 });
      await notifications.create({ to: "everyone", title: "To all" });
      await notifications.create({ to: "ann", title: "Hello", group: "thread" });
      expect(await inbox.mayLag().list({ limit: 1 })).toEqual({ ...(await inbox.list({ limit: 1 })), lagMs: 0 });
      await inbox.pin({ seq: 2 });
      expect(await inbox.mayLag().top()).toEqual({ items: await inbox.top(), lagMs: 0 });
      expect(await inbox.mayLag().groups()).toEqual({ ...(await inbox.groups()), lagMs: 0 });
      await inbox.markAllRead();
      const filters = [{ group: "thread" }, { read: true }];
      expect(await inbox.mayLag().counts({ filters })).toEqual({ ...(await inbox.counts({ filters })), lagMs: 0 });
      const { epoch, lastSeq, rev } = await inbox.counts();
      expect(await inbox.mayLag({ since: { epoch, seq: lastSeq + 1, rev } }).counts()).toMatchObject({ total: 2, unread: 0, lagMs: 0 });
    });
  });
});
