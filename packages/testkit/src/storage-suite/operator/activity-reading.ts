import type { AuditAction } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { createSend, deliveriesOf } from "../delivery/send-entries.ts";
import { at, itemOf, range, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

const UNKNOWN = "01920000-0000-7000-8000-000000000000";

/** The promises of an operator's page of one notification. */
export function activityReadingTests(harness: StorageHarness): void {
  describe("one notification, for an operator", () => {
    const fixture = useFixture(harness);

    test("it is found with all of its content", async () => {
      const data = { deep: { ü: ["😀", 1.5, null, true] }, b: 1, a: 2 };
      const message = `${"x".repeat(300)} % _ \\ ' "`;
      const { notification } = await fixture.create("ann", { data, message, source: "shop", actor: "bob" });
      const found = await fixture.storage.activity.find(fixture.tenant, notification.id);
      expect(found).toMatchObject({ message, data, source: "shop", actor: "bob" });
      const [summary] = await fixture.storage.activity.search(fixture.tenant, { limit: 1 });
      expect(found?.summary).toEqual(summary);
      expect(Object.keys(found?.data ?? {})).toEqual(["deep", "b", "a"]);
    });

    test("nothing is found of another tenant, or of an id that nobody has", async () => {
      const { notification } = await fixture.create("ann");
      await fixture.storage.activity.note(fixture.tenant, { action: "read", actor: "x", notificationId: notification.id }, at(0));
      fixture.nextTenant();
      for (const id of [notification.id, UNKNOWN]) {
        const { activity } = fixture.storage;
        expect(await activity.find(fixture.tenant, id)).toBeNull();
        expect(await activity.itemsOf(fixture.tenant, id, 10)).toEqual({ items: [], total: 0, read: 0 });
        expect(await activity.auditOf(fixture.tenant, id, 10)).toEqual([]);
      }
    });

    test("its items are those of every inbox, by user, with who has read them", async () => {
      const { notification } = await fixture.create(["read", "marked", "unread", "deleted", "both", "later"]);
      const owner = (user: string) => fixture.owner(user);
      await fixture.inbox.markRead(owner("read"), [notification.id], at(1));
      await fixture.inbox.markRead(owner("both"), [notification.id], at(2));
      for (const user of ["marked", "both"]) {
        await fixture.inbox.markAllRead(owner(user), at(3));
        await fixture.create(user);
        await fixture.inbox.markAllRead(owner(user), at(4));
      }
      await fixture.inbox.remove(owner("deleted"), [notification.id], at(5));
      const { notification: other } = await fixture.create("later");
      await fixture.inbox.markRead(owner("later"), [other.id], at(6));
      const { items, total, read } = await fixture.storage.activity.itemsOf(fixture.tenant, notification.id, 10);
      const item = (userId: string, readAt: Date | null) => itemOf(notification, { userId, seq: 1, readAt });
      expect(items).toEqual([item("both", at(2)), item("later", null), item("marked", at(3)), item("read", at(1)), item("unread", null)]);
      expect([total, read]).toEqual([5, 3]);
      const two = await fixture.storage.activity.itemsOf(fixture.tenant, notification.id, 2);
      expect([two.items.map(({ userId }) => userId), two.total, two.read]).toEqual([["both", "later"], 5, 3]);
    });

    test("all recipients of a notification to thousands are counted", async () => {
      const users = range(1, 11_000).map((user) => `u${user}`);
      const { notification } = await fixture.create(users);
      await Promise.all(users.slice(0, 30).map((user) => fixture.inbox.markRead(fixture.owner(user), [notification.id], at(0))));
      await fixture.inbox.markAllRead(fixture.owner("u9999"), at(0));
      await fixture.inbox.remove(fixture.owner("u10999"), [notification.id], at(0));
      const { items, total, read } = await fixture.storage.activity.itemsOf(fixture.tenant, notification.id, 3);
      expect([items.map(({ userId }) => userId), total, read]).toEqual([["u1", "u10", "u100"], 10_999, 31]);
    });

    test("the items of a send over the inbox are found as well", async () => {
      const { notification } = await createSend(fixture, { to: ["bob", "ann"] });
      const { items } = await fixture.storage.activity.itemsOf(fixture.tenant, notification.id, 10);
      expect(items.map(({ userId, id }) => [userId, id])).toEqual([
        ["ann", notification.id],
        ["bob", notification.id],
      ]);
    });

    test("the actions on it are listed oldest first, and notes are in the tenant's log as well", async () => {
      const { activity } = fixture.storage;
      const { notification: send } = await createSend(fixture);
      const { notification: other } = await createSend(fixture);
      const note = (notificationId: string, action: AuditAction, actor: string) =>
        activity.note(fixture.tenant, { action, actor, notificationId }, at(9));
      await note(send.id, "read", "ann 😀 %");
      await note(other.id, "read", "bob");
      await note(send.id, "created", "cat");
      const lines = await activity.auditOf(fixture.tenant, send.id, 10);
      expect(lines.map(({ action, actor }) => `${actor} ${action}`)).toEqual(["somebody created", "ann 😀 % read", "cat created"]);
      expect(lines[1]).toMatchObject({ tenant: fixture.tenant, notificationId: send.id, at: at(9) });
      expect(lines.map(({ number }) => number)).toEqual([...lines].map(({ number }) => number).sort((a, b) => a - b));
      expect(await activity.auditOf(fixture.tenant, send.id, 2)).toEqual(lines.slice(0, 2));
      const log = await deliveriesOf(fixture).listAudit(fixture.tenant, { limit: 10 });
      expect(log.map(({ actor }) => actor)).toEqual(["cat", "bob", "ann 😀 %", "somebody", "somebody"]);
      expect(log.filter(({ notificationId }) => notificationId === send.id).reverse()).toEqual(lines);
    });
  });
}
