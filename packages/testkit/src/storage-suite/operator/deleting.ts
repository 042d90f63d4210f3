import type { InboxItem } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { claim, createSend, deliveriesOf } from "../delivery/send-entries.ts";
import { at, type Fixture, range, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { planSome, useHub } from "../hub/hub-fixture.ts";
import { expectTrueCounts } from "../inbox/recount.ts";
import { eraseAll } from "../steps.ts";

const deletion = { limit: 2, at: at(9), actor: "x" };

/** Deletes a notification step by step, with a look after each, and answers the items that inboxes showed. */
async function deleteAll(
  fixture: Fixture,
  id: string,
  look: () => Promise<unknown> = async () => undefined,
): Promise<readonly InboxItem[]> {
  const shown: InboxItem[] = [];
  for (let isDone = false; !isDone; ) {
    const step = await fixture.storage.activity.deleteNotification(fixture.tenant, id, deletion);
    shown.push(...(step?.items ?? []));
    isDone = step?.isDone ?? true;
    await look();
  }
  return shown;
}

/** The promises of `deleteNotification`. */
export function deletingTests(harness: StorageHarness): void {
  describe("deleting a notification", () => {
    const fixture = useFixture(harness);

    test("a send goes from every inbox, step by step, and the counts follow, read or not", async () => {
      const { activity } = fixture.storage;
      const users = ["deleted", "marked", "read", "read too", "unread"];
      const send = await createSend(fixture, { to: users, fallbackAfterMs: null });
      const { id } = send.notification;
      for (const user of users) {
        await fixture.create(user);
      }
      for (const user of ["read", "read too"]) {
        await fixture.inbox.markRead(fixture.owner(user), [id], at(1));
      }
      await fixture.inbox.markAllRead(fixture.owner("marked"), at(2));
      await fixture.inbox.remove(fixture.owner("deleted"), [id], at(3));
      expect(await activity.deleteNotification("another tenant", id, deletion)).toBeNull();
      const shown = await deleteAll(fixture, id, async () => {
        // Nothing is delivered any more from the first step on.
        expect(await claim(fixture, new Date(Date.UTC(2031, 0, 1)))).toEqual([]);
        await Promise.all(users.map((user) => expectTrueCounts(fixture, fixture.owner(user))));
      });
      const states = shown.map(({ userId, readAt }) => `${userId} ${readAt === null ? "unread" : "read"}`);
      expect(states.sort()).toEqual(["marked read", "read read", "read too read", "unread unread"]);
      for (const user of users) {
        const [item, ...others] = await expectTrueCounts(fixture, fixture.owner(user));
        expect([item?.seq, others]).toEqual([2, []]);
      }
      expect(await deliveriesOf(fixture).findSend(fixture.tenant, id)).toBeNull();
      expect(await deliveriesOf(fixture).countDeliveries(fixture.tenant, id)).toBe(0);
      expect(await activity.find(fixture.tenant, id)).toBeNull();
      expect(await activity.deleteNotification(fixture.tenant, id, deletion)).toBeNull();
      expect((await activity.auditOf(fixture.tenant, id, 9)).map(({ action, actor }) => [action, actor])).toEqual([
        ["created", "somebody"],
        ["deleted", "x"],
      ]);
    });

    test("one that takes several steps looks like none from the first step on, and another call goes on", async () => {
      const { activity } = fixture.storage;
      const deliveries = deliveriesOf(fixture);
      const to = range(1, 2_100).map((user) => `user ${user}`);
      const send = await createSend(fixture, { channel: "email", to });
      const other = await createSend(fixture, { channel: "email", to: ["user 1", "user 2"] });
      const { id } = send.notification;
      expect(await activity.deleteNotification(fixture.tenant, id, deletion)).toEqual({ items: [], isDone: false });
      // A worker that claims what is left makes no attempt.
      const claimed = (await claim(fixture, new Date(Date.UTC(2031, 0, 1)))).filter(({ notification }) => notification.id === id);
      expect(claimed.length).toBeGreaterThan(0);
      expect(new Set(claimed.map(({ notification }) => notification.expiresAt?.getTime()))).toEqual(new Set([0]));
      expect(await deliveries.findSend(fixture.tenant, id)).toBeNull();
      expect((await deliveries.listSends(fixture.tenant, { sort: "created_at", offset: 0, limit: 9 })).sends.map((one) => one.id)).toEqual([
        other.notification.id,
      ]);
      expect(await deliveries.countDeliveries(fixture.tenant, id)).toBe(0);
      expect(await deliveries.deliveriesOf(fixture.tenant, [id], { offset: 0, limit: 9 })).toEqual([]);
      expect(await activity.find(fixture.tenant, id)).toBeNull();
      expect((await activity.search(fixture.tenant, { limit: 9 })).map((one) => one.id)).toEqual([other.notification.id]);
      expect((await activity.search(fixture.tenant, { recipient: "user 2100", limit: 9 })).map((one) => one.id)).toEqual([]);
      expect((await deliveries.export(fixture.owner("user 2100"), { after: null, limit: 9 })).records).toEqual([]);
      expect(await activity.beingDeleted(9)).toContainEqual({ tenant: fixture.tenant, id });
      expect(await activity.deleteNotification("another tenant", id, deletion)).toBeNull();
      // A user who is deleted meanwhile leaves no trace either.
      expect(await eraseAll(() => deliveries.erase(fixture.owner("user 2100"), 9, at(1)))).toBe(1);
      await deleteAll(fixture, id);
      expect(await activity.deleteNotification(fixture.tenant, id, deletion)).toBeNull();
      expect(await activity.beingDeleted(9)).toEqual([]);
      expect((await activity.auditOf(fixture.tenant, id, 9)).map(({ action }) => action)).toEqual(["created", "deleted"]);
      expect(await deliveries.countDeliveries(fixture.tenant, other.notification.id)).toBe(2);
    });

    test("a message that is still being fanned out reaches nobody any more", async () => {
      const entry = fixture.entry(["ann", "bob", "cleo"]);
      await fixture.inbox.createFanOut(entry, 1);
      await fixture.inbox.fanOutNext(at(1));
      await deleteAll(fixture, entry.notification.id);
      expect(await fixture.inbox.fanOutNext(at(2))).toBeNull();
      for (const user of ["ann", "bob", "cleo"]) {
        expect(await expectTrueCounts(fixture, fixture.owner(user))).toEqual([]);
      }
    });
  });

  describe("deleting an event", () => {
    const hub = useHub(harness);

    test("it goes with its records", async () => {
      const event = await hub.createEvent({}, planSome(2));
      await hub.hub.acknowledgeEvent(hub.tenant, event.id, { client: "c", at: at(1) });
      const { activity } = hub.base.storage;
      expect(await activity.deleteNotification(hub.tenant, event.id, deletion)).toEqual({ items: [], isDone: true });
      expect(await hub.hub.findEvents(hub.tenant, [event.id])).toEqual([]);
      expect(await hub.hub.recordsOf(hub.tenant, event.id)).toEqual([]);
      expect(await activity.find(hub.tenant, event.id)).toBeNull();
    });
  });
}
