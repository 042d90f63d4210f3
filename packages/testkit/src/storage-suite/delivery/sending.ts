import type { SendQuery } from "@belfry/core";
import { type NewSend, retryChains } from "@belfry/core/storage";
import { describe, expect, test, vi } from "vitest";
import { at, range, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { inTurn } from "../in-turn.ts";
import { expectTrueCounts } from "../inbox/recount.ts";
import { deleteSend } from "../steps.ts";
import { become, claim, createSend, deliveriesOf, expectTrueStatus, newSend } from "./send-entries.ts";

const WAIT = { timeout: 20_000, interval: 10 };
const LIST: SendQuery = { sort: "-created_at", offset: 0, limit: 100 };

/** The promises of writing, reading, changing and deleting sends. */
export function sendingTests(harness: StorageHarness): void {
  describe("sends", () => {
    const fixture = useFixture(harness);

    test("a send is found as it was, with its deliveries, and its items are in the inboxes", async () => {
      const meta = { notification_type: "note", deep: { ü: ["😀", 1.5, null, true] }, __proto: "x" };
      const send = await createSend(fixture, {
        to: ["bob", "ann"],
        fallbackAfterMs: 5_000,
        details: { roomId: "room", meta },
      });
      const found = await deliveriesOf(fixture).findSend(fixture.tenant, send.notification.id.toUpperCase());
      expect(found).toEqual({
        ...send.details,
        ...{ channel: "inbox", fallbackDelayMs: 5_000, scheduledAt: null },
        ...send.notification,
        status: "pending",
        attempts: 0,
        fallbackUsed: false,
        deliveredAt: null,
        failedAt: null,
        updatedAt: send.notification.createdAt,
      });
      const deliveries = await deliveriesOf(fixture).deliveriesOf(fixture.tenant, [send.notification.id], { offset: 0, limit: 100 });
      for (const [offset, delivery] of deliveries.entries()) {
        expect(await deliveriesOf(fixture).deliveriesOf(fixture.tenant, [send.notification.id], { offset, limit: 1 })).toEqual([delivery]);
      }
      expect(await deliveriesOf(fixture).countDeliveries(fixture.tenant, send.notification.id)).toBe(deliveries.length);
      expect(deliveries.map(({ recipient, channel, status, chain }) => [chain, recipient, channel, status])).toEqual([
        [0, "bob", "inbox", "pending"],
        [0, "bob", "email", "waiting"],
        [1, "ann", "inbox", "pending"],
        [1, "ann", "email", "waiting"],
      ]);
      const created = send.notification.createdAt.getTime();
      expect(deliveries.map(({ dueAt }) => (dueAt?.getTime() ?? Number.NaN) - created)).toEqual([0, 5_000, 0, 5_000]);
      expect((await expectTrueCounts(fixture, fixture.owner("ann"))).map(({ id }) => id)).toEqual([send.notification.id]);
    });

    test("a write whose reply was lost may be repeated", async () => {
      const send = newSend(fixture, { to: ["ann", "bob"] });
      const first = await deliveriesOf(fixture).createSends([send], send.notification.createdAt);
      expect(await deliveriesOf(fixture).createSends([send], send.notification.createdAt)).toEqual(first);
      expect((await deliveriesOf(fixture).deliveriesOf(fixture.tenant, [send.notification.id], { offset: 0, limit: 100 })).length).toBe(2);
      expect(await deliveriesOf(fixture).listAudit(fixture.tenant, { limit: 10 })).toHaveLength(1);
      expect(await expectTrueCounts(fixture, fixture.owner("bob"))).toHaveLength(1);
    });

    test("a key is good for one send of its tenant; those at once with it agree on one", async () => {
      const idempotency = { key: "k", bodyHash: "hash", response: '{"first":true}' };
      const sends = Array.from({ length: 10 }, () => newSend(fixture, { idempotency }));
      const created = await Promise.all(sends.map((send) => deliveriesOf(fixture).createSends([send], send.notification.createdAt)));
      const kinds = created.map(([one]) => one?.kind).sort();
      expect(kinds).toEqual(["created", ...Array.from({ length: 9 }, () => "repeated")]);
      const repeated = created.flat().find(({ kind }) => kind === "repeated");
      expect(repeated).toMatchObject({ kind: "repeated", bodyHash: "hash", response: '{"first":true}' });
      expect((await deliveriesOf(fixture).listSends(fixture.tenant, LIST)).total).toBe(1);
      expect(await expectTrueCounts(fixture, fixture.owner("ann"))).toHaveLength(1);
      const tenant = fixture.tenant;
      fixture.nextTenant();
      const [other] = await deliveriesOf(fixture).createSends([newSend(fixture, { idempotency })], new Date());
      expect([other?.kind, tenant === fixture.tenant]).toEqual(["created", false]);
    });

    test("a forgotten key can be used again", async () => {
      const idempotency = { key: "old", bodyHash: "h", response: "{}" };
      const send = await createSend(fixture, { idempotency });
      await deliveriesOf(fixture).pruneIdempotencyKeys(new Date(send.notification.createdAt.getTime()));
      expect((await deliveriesOf(fixture).createSends([newSend(fixture, { idempotency })], new Date()))[0]?.kind).toBe("repeated");
      await deliveriesOf(fixture).pruneIdempotencyKeys(new Date(send.notification.createdAt.getTime() + 1));
      expect((await deliveriesOf(fixture).createSends([newSend(fixture, { idempotency })], new Date()))[0]?.kind).toBe("created");
    });

    test("in a transaction of the host: after its commit, or not at all", async () => {
      const rolledBack = newSend(fixture);
      const told = vi.fn();
      const storage = deliveriesOf(fixture);
      const run = fixture.subject.transaction((tx) =>
        inTurn(
          () => storage.createSendWithin(tx, rolledBack, told),
          () => {
            throw new Error("no");
          },
        ),
      );
      await expect(run).rejects.toThrow("no");
      expect(await storage.findSend(fixture.tenant, rolledBack.notification.id)).toBeNull();
      expect(await claim(fixture, new Date(8.64e12))).toEqual([]);
      const committed = newSend(fixture, { to: ["ann"] });
      await fixture.subject.transaction((tx) => storage.createSendWithin(tx, committed, told));
      await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(1), WAIT);
      expect(told.mock.calls[0]?.[0]).toMatchObject({ kind: "created", items: [{ userId: "ann", seq: 1 }] });
      expect((await storage.findSend(fixture.tenant, committed.notification.id))?.status).toBe("pending");
    });

    test("the items of a scheduled send are placed once, at their time", async () => {
      const scheduledAt = new Date(Date.UTC(2030, 0, 1));
      const send = await createSend(fixture, { to: ["ann", "bob"], plan: { scheduledAt } });
      expect(await expectTrueCounts(fixture, fixture.owner("ann"))).toEqual([]);
      const storage = deliveriesOf(fixture);
      await fixture.create("ann");
      const first = await storage.placeItems(send.notification, ["ann"], scheduledAt);
      const both = await storage.placeItems(send.notification, ["ann", "bob"], scheduledAt);
      expect([first, both].map((items) => items.map(({ userId, seq }) => [userId, seq]))).toEqual([
        [["ann", 2]],
        [
          ["ann", 2],
          ["bob", 1],
        ],
      ]);
      const [item] = await expectTrueCounts(fixture, fixture.owner("bob"));
      expect([item?.id, item?.createdAt]).toEqual([send.notification.id, scheduledAt]);
      expect(await storage.placeItems({ ...send.notification, id: "01920000-0000-7000-8000-000000000000" }, ["ann"], scheduledAt)).toEqual(
        [],
      );
      expect((await storage.deliveriesOf(fixture.tenant, [send.notification.id], { offset: 0, limit: 100 }))[0]?.dueAt).toEqual(
        scheduledAt,
      );
    });

    test("a list takes every filter, alone and together, and every order", async () => {
      const storage = deliveriesOf(fixture);
      const a = await createSend(fixture, { channel: "email", to: ["x@y.example"], details: { roomId: "r1" } });
      const b = await createSend(fixture, { channel: "webhook", to: ["https://z.example", "x@y.example"], details: { roomId: "r2" } });
      const c = await createSend(fixture, { channel: "email", to: ["_@%.example"], details: { roomId: "r1" } });
      const settle = become((one) => ({ ...one, status: "delivered", dueAt: null }));
      await storage.settle({ kind: "send", tenant: fixture.tenant, id: a.notification.id }, new Date(0), settle);
      const names = new Map([a, b, c].map(({ notification }, index) => [notification.id, "abc"[index] ?? ""]));
      const list = async (query: Partial<SendQuery>) => {
        const { sends, total } = await storage.listSends(fixture.tenant, { ...LIST, ...query });
        return `${sends.map(({ id }) => names.get(id)).join("")} ${total}`;
      };
      expect(await list({})).toBe("cba 3");
      expect(await list({ sort: "created_at" })).toBe("abc 3");
      expect(await list({ sort: "status" })).toBe("acb 3");
      expect(await list({ channel: "email" })).toBe("ca 2");
      expect(await list({ roomId: "r2" })).toBe("b 1");
      expect(await list({ status: "pending" })).toBe("cb 2");
      expect(await list({ recipient: "x@y.example" })).toBe("ba 2");
      expect(await list({ recipient: "%" })).toBe(" 0");
      expect(await list({ createdAfter: a.notification.createdAt })).toBe("cb 2");
      expect(await list({ createdBefore: c.notification.createdAt })).toBe("ba 2");
      expect(await list({ recipient: "x@y.example", channel: "email", status: "delivered", roomId: "r1" })).toBe("a 1");
      expect(await list({ limit: 1, offset: 1 })).toBe("b 3");
      expect(await list({ offset: 3 })).toBe(" 3");
      fixture.nextTenant();
      expect(await list({})).toBe(" 0");
    });

    test("what is decided against when it is created is skipped: with its reason, in counts, and never claimed", async () => {
      const storage = deliveriesOf(fixture);
      const skip = (send: NewSend, index: number): NewSend => ({
        ...send,
        deliveries: send.deliveries.map((one, chain) =>
          chain > index ? one : { ...one, status: "skipped", reason: "preference", reasonSource: "user type email", dueInMs: null },
        ),
      });
      const [one, both] = [skip(newSend(fixture, { to: ["ann", "bob"] }), 0), skip(newSend(fixture, { to: ["ann", "bob"] }), 1)];
      const { createdAt } = one.notification;
      await storage.createSends([one, both], createdAt);
      const ids = [one.notification.id, both.notification.id];
      const made = await storage.deliveriesOf(fixture.tenant, ids, { offset: 0, limit: 10 });
      expect(
        made.map(({ status, reason, reasonSource, dueAt, settledAt }) => [
          status,
          reason,
          reasonSource,
          dueAt === null,
          settledAt === null,
        ]),
      ).toEqual([
        ["skipped", "preference", "user type email", true, false],
        ["pending", null, null, false, true],
        ["skipped", "preference", "user type email", true, false],
        ["skipped", "preference", "user type email", true, false],
      ]);
      const query = { sort: "created_at", offset: 0, limit: 10 } as const;
      const { sends } = await storage.listSends(fixture.tenant, { ...query, status: ["skipped", "pending"] });
      expect(sends.map(({ id, status }) => [id, status])).toEqual([
        [ids[0], "pending"],
        [ids[1], "skipped"],
      ]);
      expect((await storage.listSends(fixture.tenant, { ...query, status: ["skipped", "failed"] })).total).toBe(1);
      expect((await claim(fixture, at(9_000))).map(({ delivery }) => delivery.recipient)).toEqual(["bob"]);
      await expectTrueStatus(fixture, ids[0] ?? "");
      await expectTrueStatus(fixture, ids[1] ?? "");
    });

    test("analytics count by status, channel and fallback, from a moment on and before one", async () => {
      const storage = deliveriesOf(fixture);
      const a = await createSend(fixture, { channel: "email", details: { roomId: "r" } });
      const b = await createSend(fixture, { channel: "inbox", fallbackAfterMs: null });
      await storage.settle({ kind: "send", tenant: fixture.tenant, id: b.notification.id }, new Date(0), (loaded, now) => {
        const changes = become((one) => ({ ...one, status: "failed" }))(loaded, now);
        return { ...changes, sends: changes.sends.map((state) => ({ ...state, fallbackUsed: true })) };
      });
      const byStatus = { pending: 1, sent: 0, delivered: 0, failed: 1, partial: 0, skipped: 0, cancelled: 0 };
      expect(await storage.countSends(fixture.tenant, {})).toEqual({
        total: 2,
        byStatus,
        byChannel: { email: 1, inbox: 1 },
        fallbackUsed: 1,
      });
      const onlyA = { total: 1, byStatus: { ...byStatus, failed: 0 }, byChannel: { email: 1 }, fallbackUsed: 0 };
      expect(await storage.countSends(fixture.tenant, { before: b.notification.createdAt })).toEqual(onlyA);
      expect(await storage.countSends(fixture.tenant, { from: a.notification.createdAt, channel: "email", roomId: "r" })).toEqual(onlyA);
      expect((await storage.countSends(fixture.tenant, { from: new Date(8.64e12) })).total).toBe(0);
    });

    test("a notification without the choices of a sender is claimed, settled, retried, changed and counted like any other", async () => {
      const storage = deliveriesOf(fixture);
      const { notification } = await createSend(fixture, { channel: "email", to: ["a", "b"], fallbackAfterMs: null, details: null });
      const { id, tenant, data, createdAt } = notification;
      const choices = { channel: "email", channels: ["email"], recipients: [], roomId: null, hasFallback: false };
      expect(await storage.findSend(tenant, id)).toMatchObject({ ...choices, meta: data, status: "pending", title: "Subject" });
      const claimed = await claim(fixture, new Date(createdAt.getTime() + 1_000));
      expect(claimed.map(({ delivery, meta, roomId }) => [delivery.recipient, meta, roomId])).toEqual([
        ["a", data, null],
        ["b", data, null],
      ]);
      const fail = become((one) => ({ ...one, status: "failed", dueAt: null, leaseOwner: null, leaseUntil: null }));
      await storage.settle({ kind: "send", tenant, id }, createdAt, fail);
      await expectTrueStatus(fixture, id);
      expect(await storage.countSends(tenant, { channel: "email" })).toMatchObject({ total: 1, byChannel: { email: 1 } });
      await storage.settle({ kind: "send", tenant, id }, createdAt, (loaded, now) => {
        const retried = retryChains(loaded, now, { id, actor: "host" });
        return retried === null || typeof retried === "string" ? expect.unreachable() : retried.changes;
      });
      await expectTrueStatus(fixture, id);
      const change = { meta: { b: 2 }, data: { b: 2 }, keptRendered: -1, at: createdAt, actor: "host" };
      expect(await storage.updateSend(tenant, id, change)).toBe("updated");
      expect(await storage.findSend(tenant, id)).toMatchObject({ ...choices, meta: { b: 2 }, status: "pending" });
      expect((await storage.listSends(tenant, { ...LIST, roomId: "r" })).total).toBe(0);
      expect((await storage.listSends(tenant, LIST)).sends).toEqual([await storage.findSend(tenant, id)]);
    });

    test("a change of a pending send says which of its texts stay those of its type", async () => {
      const storage = deliveriesOf(fixture);
      const { notification } = await createSend(fixture, { rendered: 7 });
      const { id, tenant, createdAt } = notification;
      const change = { at: createdAt, actor: "host" };
      await storage.updateSend(tenant, id, { ...change, title: "New", keptRendered: ~1 });
      expect(await storage.findSend(tenant, id)).toMatchObject({ title: "New", message: "Content", rendered: 6 });
      await storage.updateSend(tenant, id, { ...change, message: "New, too", url: "/new", keptRendered: ~2 });
      expect(await storage.findSend(tenant, id)).toMatchObject({ title: "New", message: "New, too", url: "/new", rendered: 4 });
      await storage.updateSend(tenant, id, { ...change, keptRendered: ~4 });
      expect(await storage.findSend(tenant, id)).toMatchObject({ url: "/new", rendered: null });
      await storage.updateSend(tenant, id, { ...change, keptRendered: -1 });
      expect(await expectTrueCounts(fixture, fixture.owner("ann"))).toMatchObject([{ title: "New", rendered: null }]);
    });

    test("a pending send can be changed, in its items too; a settled one cannot", async () => {
      const storage = deliveriesOf(fixture);
      const send = await createSend(fixture);
      const { id } = send.notification;
      const at = new Date(send.notification.createdAt.getTime() + 1_000);
      const change = { title: "New", meta: { b: 2, notification_type: "note" }, data: { c: 3 }, keptRendered: -1, at, actor: "editor" };
      expect(await storage.updateSend(fixture.tenant, id, change)).toBe("updated");
      const updated = { title: "New", message: "Content", meta: change.meta, updatedAt: at };
      expect(await storage.findSend(fixture.tenant, id)).toMatchObject(updated);
      expect(await expectTrueCounts(fixture, fixture.owner("ann"))).toMatchObject([{ title: "New", data: { c: 3 } }]);
      await storage.settle(
        { kind: "send", tenant: fixture.tenant, id },
        at,
        become((one) => ({ ...one, status: "sent" })),
      );
      expect(await storage.updateSend(fixture.tenant, id, change)).toBe("not_pending");
      expect(await storage.updateSend("another tenant", id, change)).toBe("unknown");
      expect((await storage.listAudit(fixture.tenant, { limit: 10 })).map(({ action, actor }) => [action, actor])).toEqual([
        ["updated", "editor"],
        ["created", "somebody"],
      ]);
    });

    test("a change of a send in many inboxes is noted there in steps, once in each; another one in between begins anew", async () => {
      const storage = deliveriesOf(fixture);
      const to = range(1, 250).map((number) => `user ${number}`);
      const send = await createSend(fixture, { to });
      const { id, createdAt } = send.notification;
      const time = new Date(createdAt.getTime() + 1_000);
      const update = (title: string) => storage.updateSend(fixture.tenant, id, { title, keptRendered: -1, at: time, actor: "editor" });
      /** How many inboxes have had so many changes. */
      const inboxesWith = async (changes: number) => {
        const counts = await Promise.all(to.map((userId) => fixture.inbox.counts(fixture.owner(userId))));
        return counts.filter(({ rev }) => rev === changes).length;
      };
      expect(await update("First")).toBe("updating");
      expect(await storage.findSend(fixture.tenant, id)).toMatchObject({ title: "First" });
      expect(await inboxesWith(0)).toBe(250);
      expect(await storage.noteUpdates(time)).toBe(true);
      expect([await inboxesWith(1), await inboxesWith(0)]).toEqual([100, 150]);
      expect(await update("Second")).toBe("updating");
      while (await storage.noteUpdates(time)) {
        // Step by step.
      }
      expect([await inboxesWith(2), await inboxesWith(1)]).toEqual([100, 150]);
      const [last] = to.toSorted().slice(-1);
      const owner = fixture.owner(last ?? "");
      expect((await fixture.inbox.changesAfter(owner, 0, 10)).changes).toMatchObject([
        { rev: 1, kind: "updated", ranges: [[1, 1]], at: time },
      ]);
      expect(await expectTrueCounts(fixture, owner)).toMatchObject([{ title: "Second" }]);
    });

    test("a send in many inboxes that is deleted while a change is noted leaves nothing to note", async () => {
      const storage = deliveriesOf(fixture);
      const send = await createSend(fixture, { to: range(1, 150).map((number) => `user ${number}`) });
      const { id, createdAt } = send.notification;
      await storage.updateSend(fixture.tenant, id, { title: "New", keptRendered: -1, at: createdAt, actor: "editor" });
      await storage.noteUpdates(createdAt);
      await deleteSend(fixture.storage, { tenant: fixture.tenant, id }, { at: createdAt, actor: "editor" });
      expect(await storage.noteUpdates(createdAt)).toBe(false);
    });

    test("a deleted send is gone with its items, and the counts follow, read or not", async () => {
      const storage = deliveriesOf(fixture);
      const users = ["read", "marked", "unread", "deleted"];
      const send = await createSend(fixture, { to: users, fallbackAfterMs: null });
      const { id } = send.notification;
      const at = new Date(Date.UTC(2031, 0, 1));
      for (const user of users) {
        await fixture.create(user);
      }
      await fixture.inbox.markRead(fixture.owner("read"), [id], at);
      await fixture.inbox.markAllRead(fixture.owner("marked"), at);
      await fixture.inbox.remove(fixture.owner("deleted"), [id], at);
      expect(await deleteSend(fixture.storage, { tenant: "another tenant", id }, { at, actor: "x" })).toBeNull();
      const deleted = await deleteSend(fixture.storage, send.notification, { at, actor: "x" });
      expect(deleted?.map(({ userId, seq }) => [userId, seq]).sort()).toEqual([
        ["marked", 1],
        ["read", 1],
        ["unread", 1],
      ]);
      for (const user of users) {
        const [item, ...others] = await expectTrueCounts(fixture, fixture.owner(user));
        expect([item?.seq, others]).toEqual([2, []]);
      }
      expect(await storage.findSend(fixture.tenant, id)).toBeNull();
      expect(await storage.deliveriesOf(fixture.tenant, [id], { offset: 0, limit: 100 })).toEqual([]);
      expect(await storage.countDeliveries(fixture.tenant, id)).toBe(0);
      expect(await fixture.inbox.absence(fixture.owner("read"), id)).toBe("unknown");
      expect(await deleteSend(fixture.storage, send.notification, { at, actor: "x" })).toBeNull();
      expect(await claim(fixture, at)).toEqual([]);
      expect((await storage.listAudit(fixture.tenant, { limit: 1 }))[0]).toMatchObject({
        action: "deleted",
        actor: "x",
        notificationId: id,
      });
    });

    test("the audit log is read page by page, and outlives what it tells of", async () => {
      const storage = deliveriesOf(fixture);
      for (let index = 0; index < 5; index += 1) {
        await createSend(fixture);
      }
      const first = await storage.listAudit(fixture.tenant, { limit: 3 });
      const second = await storage.listAudit(fixture.tenant, { limit: 3, before: first.at(-1)?.number ?? 0 });
      expect([first.length, second.length, new Set([...first, ...second].map(({ number }) => number)).size]).toEqual([3, 2, 5]);
    });
  });
}
