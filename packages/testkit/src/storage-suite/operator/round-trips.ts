import { describe, expect, test } from "vitest";
import { fullAttempt, fullAudit, fullDelivery, fullSend } from "../delivery/delivery-fixture.ts";
import { become, deliveriesOf } from "../delivery/send-entries.ts";
import { at, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { fullEntry, fullItem } from "../inbox/inbox-fixture.ts";

/** An operator reads every field as it was written. */
export function operatorRoundTripTests(harness: StorageHarness): void {
  describe("every field, for an operator", () => {
    const fixture = useFixture(harness);

    test("of a notification, its items and its log is read back", async () => {
      const { activity } = fixture.storage;
      const entry = fullEntry(fixture);
      const { id, tenant, message, data, source, actor, url, actions, kind, title, createdAt } = entry.notification;
      await fixture.inbox.createMany([entry]);
      const items = entry.recipients.map((userId) => ({ ...fullItem(entry.notification, userId), archivedAt: null, snoozedUntil: null }));
      for (const { userId, readAt, pinnedAt } of items) {
        await fixture.inbox.markRead(fixture.owner(userId), [id], readAt);
        await fixture.inbox.mark(fixture.owner(userId), [id], { mark: "pinned", at: pinnedAt });
      }
      await activity.note(tenant, fullAudit(id), at(9));
      const found = await activity.find(tenant, id);
      expect(found).toMatchObject({ message, data, source, actor, url, actions });
      // The type of an event is its source.
      expect(found?.summary).toMatchObject({ id, kind, type: source, title, excerpt: message, createdAt });
      expect(await activity.itemsOf(tenant, id, 10)).toEqual({ items, total: 2, read: 2 });
      const [line] = await activity.auditOf(tenant, id, 10);
      expect(line).toEqual({ ...fullAudit(id), tenant, at: at(9), number: line?.number });
    });

    test("of a send is found with its summary", async () => {
      const { activity } = fixture.storage;
      const send = fullSend(fixture);
      await deliveriesOf(fixture).createSends([send], send.notification.createdAt);
      const { id, tenant, message, data, source, actor, url, actions, kind, type, title, createdAt } = send.notification;
      const { channels, recipients } = send.details;
      const counted = {
        recipientCount: recipients.length + send.details.erasedRecipients,
        status: "pending",
        isForEveryone: false,
      } as const;
      const {
        id: deliveryId,
        status,
        reason,
        reasonSource,
        channel,
        recipient,
      } = send.deliveries[0] ?? expect.fail("The send has a delivery.");
      const circuit = { failures: 7, openUntil: at(12) };
      await fixture.storage.holds.openCircuit({ channel, recipient, openedAt: at(11), ...circuit });
      const decide = become((one) => one, { attempts: [fullAttempt({ ...fullDelivery(send), id: deliveryId })] });
      await deliveriesOf(fixture).settle({ kind: "send", tenant, id }, at(900), decide);
      const none = { attempt: 0, attemptsBefore: 0, leaseOwner: null };
      const lastError = { error: "full error", at: at(802) };
      const underWay = [{ status, reason, reasonSource, ...none, dueAt: new Date(at(500).getTime() + 4_321), circuit, lastError }];
      const summary = { id, kind, type, title, excerpt: message, recipients, channels, createdAt, underWay, recordError: null, ...counted };
      expect(await activity.find(tenant, id)).toEqual({ message, data, source, actor, url, actions, summary });
      expect(await activity.search(tenant, { limit: 10 })).toEqual([summary]);
    });
  });
}
