import type { Owner } from "@belfry/core";
import type { ForEveryone, MissedBroadcasts, NewBroadcast } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { fullSend } from "../delivery/delivery-fixture.ts";
import { newSend } from "../delivery/send-entries.ts";
import { at, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { expectTrueCounts } from "../inbox/recount.ts";

/** Broadcasts: one row each, placed inbox by inbox. */
export function broadcastTests(harness: StorageHarness): void {
  describe("broadcasts", () => {
    const fixture = useFixture(harness);
    const broadcast = async (fields: Partial<NewBroadcast["notification"]> = {}, terms: Partial<NewBroadcast> = {}) => {
      const { notification } = fixture.entry("nobody", fields);
      await fixture.storage.broadcasts.create({ notification, isStanding: false, except: [], ...terms });
      return notification;
    };
    const end = async (of: NewBroadcast["notification"]) =>
      (await fixture.storage.broadcasts.end(of, { actor: "ann", at: at(2) })) !== null;
    const missed = (owner: Owner, limit = 100, joinedAt: Date | null = null) =>
      fixture.storage.broadcasts.missed(owner, at(100), { limit, joinedAt });
    const place = async (owner: Owner, limit = 100): Promise<readonly number[] | null> => {
      const found = await missed(owner, limit);
      return found === null ? null : placeThese(owner, found);
    };
    const placeThese = async (owner: Owner, { placedUpTo, beganAfter, upTo, broadcasts }: MissedBroadcasts) => {
      const numbers = broadcasts.map(({ number }) => number);
      const placed = await fixture.storage.broadcasts.place(owner, { placedUpTo, beganAfter, upTo, numbers, at: at(100) });
      return placed === null ? null : placed.map(({ item }) => item.seq);
    };

    test("an inbox that had begun lacks a broadcast until it is placed, once, numbered by then and dated by the broadcast", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      expect((await fixture.inbox.counts(owner)).isBehind).toBeUndefined();
      const sent = await broadcast({ title: "For everyone", type: "news", category: "all" });
      await fixture.fill("ann", 1);
      expect(await fixture.inbox.counts(owner)).toMatchObject({ isBehind: true, lastSeq: 2, total: 2 });
      expect(await fixture.inbox.unread(owner, at(1))).toBeNull();
      expect(await fixture.inbox.positions([owner])).toMatchObject([{ seq: 2, lacksBroadcasts: true }]);
      expect(await missed(owner)).toEqual({
        placedUpTo: null,
        beganAfter: 0,
        upTo: 1,
        broadcasts: [{ number: 1, isStanding: false, except: [], notification: sent }],
        isMore: false,
      });
      expect(await place(owner)).toEqual([3]);
      expect(await place(owner)).toEqual([]);
      const { items, counts } = await fixture.inbox.list(owner, { status: "all", limit: 10 });
      expect(seqsOf(items)).toEqual([3, 2, 1]);
      expect(items[0]).toMatchObject({ ...sent, userId: "ann", seq: 3, readAt: null });
      expect(counts).toMatchObject({ total: 3, unread: 3, lastSeq: 3, rev: 0 });
      expect(counts.isBehind).toBeUndefined();
      expect(await fixture.inbox.unread(owner, at(1))).toBe(3);
      await expectTrueCounts(fixture, owner);
    });

    test("an inbox that begins later gets standing broadcasts alone, however it begins", async () => {
      await broadcast();
      await broadcast({}, { isStanding: true });
      await broadcast();
      await fixture.fill("created", 1);
      await fixture.inbox.createMany([fixture.entry(["among", "others"])]);
      const begun = fixture.owner("begun");
      expect(await missed(begun)).toBeNull();
      await fixture.storage.broadcasts.begin(begun);
      await fixture.storage.broadcasts.begin(begun);
      expect(await fixture.inbox.counts(begun)).toMatchObject({ total: 0, lastSeq: 0, isBehind: true });
      for (const userId of ["created", "among", "others", "begun"]) {
        const owner = fixture.owner(userId);
        expect((await missed(owner))?.broadcasts.map(({ number }) => number)).toEqual([2]);
        expect(await place(owner)).toHaveLength(1);
        // What follows the number after which it began.
        expect(await place(owner)).toEqual([]);
        expect((await fixture.inbox.counts(owner)).isBehind).toBeUndefined();
        await expectTrueCounts(fixture, owner);
      }
      await broadcast();
      expect(await place(begun)).toEqual([2]);
    });

    test("several inboxes begin at once; those that had begun stay as they are", async () => {
      await fixture.fill("ann", 1);
      await broadcast();
      const { broadcasts } = fixture.storage;
      await Promise.all([broadcasts.beginAll(fixture.tenant, ["ann", "bob"]), broadcasts.beginAll(fixture.tenant, ["bob", "cyd"])]);
      await broadcasts.beginAll(fixture.tenant, []);
      await broadcast();
      expect(await place(fixture.owner("ann"))).toEqual([2, 3]);
      for (const userId of ["bob", "cyd"]) {
        // First what is standing from before they began, and then what went out since.
        expect(await place(fixture.owner(userId))).toEqual([]);
        expect(await place(fixture.owner(userId))).toEqual([1]);
      }
    });

    test("whoever the host has known before a broadcast gets it, if nobody has looked at the inbox before", async () => {
      const first = await broadcast();
      await broadcast();
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      const found = await missed(owner, 100, new Date(first.createdAt.getTime() + 500));
      expect(found).toMatchObject({ beganAfter: 1, upTo: 1, broadcasts: [], isMore: true });
      if (found !== null) {
        expect(await placeThese(owner, found)).toEqual([]);
      }
      expect(await place(owner)).toEqual([2]);
      expect((await missed(owner, 100, new Date(0)))?.beganAfter).toBe(1);
    });

    test("many broadcasts are placed in steps, in the order in which they went out", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      const ids: string[] = [];
      for (const _ of range(1, 7)) {
        ids.push((await broadcast()).id);
      }
      expect((await missed(owner, 3))?.isMore).toBe(true);
      expect(await place(owner, 3)).toEqual([2, 3, 4]);
      expect((await fixture.inbox.counts(owner)).isBehind).toBe(true);
      expect(await place(owner, 3)).toEqual([5, 6, 7]);
      expect(await place(owner, 3)).toEqual([8]);
      expect(await place(owner, 3)).toEqual([]);
      const { items } = await fixture.inbox.listAfter(owner, 1, { limit: 10, bytes: 1_000_000 });
      expect(items.map(({ id }) => id)).toEqual(ids);
      await expectTrueCounts(fixture, owner);
    });

    test("of placings at once, one places; numbers follow each other beside creates", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      await broadcast();
      await broadcast();
      await Promise.all([...range(1, 8).map(() => place(owner)), ...range(1, 8).map(() => fixture.create("ann"))]);
      // One that found the inbox held left it.
      await place(owner);
      const { items } = await fixture.inbox.list(owner, { status: "all", limit: 100 });
      expect(seqsOf(items)).toEqual(range(11, 1));
      await expectTrueCounts(fixture, owner);
    });

    test("a broadcast that ended, expired or was deleted is placed no more, whoever found it before", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      const [ended, deleted] = [await broadcast(), await broadcast()];
      const expired = await broadcast({ expiresAt: at(100) });
      await broadcast({ expiresAt: at(101) });
      const found = await missed(owner);
      expect(found?.broadcasts.map(({ number }) => number)).toEqual([1, 2, 4]);
      expect(await end(ended)).toBe(true);
      expect(await end(ended)).toBe(false);
      await fixture.storage.activity.deleteNotification(fixture.tenant, deleted.id, { at: at(2), actor: "host", limit: 10 });
      await fixture.inbox.noteExpired(fixture.tenant, expired.id, at(100));
      if (found !== null) {
        expect(await placeThese(owner, { ...found, upTo: 4 })).toEqual([2]);
      }
      await expectTrueCounts(fixture, owner);
    });

    test("what was found is not placed once the inbox has gone on", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      await broadcast();
      const found = await missed(owner);
      await place(owner);
      await broadcast();
      if (found !== null) {
        expect(await placeThese(owner, found)).toBeNull();
      }
      expect(await place(owner)).toEqual([3]);
      expect(
        await fixture.storage.broadcasts.place(fixture.owner("nobody"), {
          placedUpTo: null,
          beganAfter: 0,
          upTo: 1,
          numbers: [1],
          at: at(1),
        }),
      ).toBeNull();
    });

    test("an item joins its group, and takes the place of the unread one with its key", async () => {
      await fixture.fill("ann", 1, { replaceKey: "outage", group: "status" });
      const owner = fixture.owner("ann");
      await broadcast({ replaceKey: "outage", group: "status", actor: "bot" });
      const found = await missed(owner);
      const placed = found && (await fixture.storage.broadcasts.place(owner, { ...found, numbers: [1], at: at(100) }));
      expect(placed).toMatchObject([{ number: 1, item: { seq: 2, also: [{ change: "deleted", items: [{ seq: 1 }] }] } }]);
      expect((await fixture.inbox.groups(owner, { status: "all", limit: 10 })).groups).toMatchObject([
        { group: "status", total: 1, unread: 1 },
      ]);
      await expectTrueCounts(fixture, owner);
    });

    test("a broadcast is written once, and each tenant has its own numbers", async () => {
      const { notification } = fixture.entry("nobody");
      const written = { notification, isStanding: false, except: ["bob", 'quo"te'] };
      await fixture.fill("ann", 1);
      await fixture.storage.broadcasts.create(written);
      await fixture.storage.broadcasts.create(written);
      expect(await missed(fixture.owner("ann"))).toMatchObject({ upTo: 1, broadcasts: [{ except: ["bob", 'quo"te'] }] });
      fixture.nextTenant();
      await fixture.fill("ann", 1);
      expect((await fixture.inbox.counts(fixture.owner("ann"))).isBehind).toBeUndefined();
      await broadcast();
      expect((await missed(fixture.owner("ann")))?.upTo).toBe(1);
    });

    const send = async (
      everyone: Partial<ForEveryone>,
      {
        key = null,
        expiresAt = null,
        isPaged = false,
      }: { readonly key?: string | null; readonly expiresAt?: Date | null; readonly isPaged?: boolean } = {},
    ) => {
      const full = fullSend(fixture);
      const terms = { isStanding: false, except: [], hasItems: true, dueAt: null, ...everyone };
      const idempotency = key === null ? null : { key, bodyHash: "hash", response: "{}" };
      const notification = { ...full.notification, expiresAt, group: null, replaceKey: null };
      const written = {
        ...full,
        notification,
        scheduledAt: terms.dueAt,
        deliveries: [],
        inboxRecipients: [],
        idempotency,
        throttles: null,
      };
      const fanOut = { plan: '{"of":"core"}', users: [], addresses: new Map(), chainsEach: 1 };
      const [created] = await fixture.storage.deliveries.createSends(
        [{ ...written, everyone: terms, ...(isPaged ? { fanOut } : {}) }],
        at(1),
      );
      return { id: notification.id, created };
    };
    const statusOf = async (id: string) => (await fixture.storage.deliveries.findSend(fixture.tenant, id))?.status;
    const sent = async (now: Date) =>
      (await fixture.storage.broadcasts.sendDue(now)).sent.filter(({ tenant }) => tenant === fixture.tenant).map(({ changed }) => changed);

    test("one with deliveries has a status, and its key is used once", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      const { id } = await send({ except: ["bob"], isStanding: true }, { key: "key" });
      expect(await statusOf(id)).toBe("sent");
      expect(await missed(owner)).toMatchObject({ upTo: 1, broadcasts: [{ isStanding: true, except: ["bob"] }] });
      expect((await send({}, { key: "key" })).created).toMatchObject({ kind: "repeated", notificationId: id });
      expect(await place(owner)).toEqual([2]);
      expect(await place(owner)).toEqual([]);
      expect(await fixture.storage.deliveries.isFannedOut(fixture.tenant, id)).toBe(true);
    });

    test("a scheduled one gets its number when it is due, in the order of these times, and is dated by them", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      const [later, first] = [await send({ dueAt: at(60) }), await send({ dueAt: at(50) })];
      expect(await statusOf(later.id)).toBe("pending");
      expect((await fixture.inbox.counts(owner)).isBehind).toBeUndefined();
      expect(await sent(at(49))).toEqual([]);
      expect((await fixture.storage.broadcasts.sendDue(at(49))).nextDueAt).not.toBeNull();
      const changes = await Promise.all([sent(at(60)), sent(at(60))]);
      const change = (id: string) => ({ tenant: fixture.tenant, id, from: "pending", to: "sent" });
      expect(changes.flat()).toEqual(expect.arrayContaining([change(first.id), change(later.id)]));
      expect([await statusOf(first.id), await statusOf(later.id)]).toEqual(["sent", "sent"]);
      const found = await missed(owner);
      expect(found?.broadcasts.map(({ notification: { id, createdAt } }) => [id, createdAt])).toEqual([
        [first.id, at(50)],
        [later.id, at(60)],
      ]);
      expect(await place(owner)).toEqual([2, 3]);
      expect((await fixture.inbox.list(owner, { status: "all", limit: 1 })).items[0]).toMatchObject({ id: later.id, createdAt: at(60) });
      await expectTrueCounts(fixture, owner);
    });

    test("a scheduled one that is cancelled, or has expired by its time, goes to nobody", async () => {
      await fixture.fill("ann", 1);
      const { deliveries, activity } = fixture.storage;
      const [cancelled, running, gone] = [await send({ dueAt: at(50) }), await send({}), await send({ dueAt: at(50) })];
      const cancel = (id: string) => deliveries.endFanOut({ tenant: fixture.tenant, id }, { as: "cancelled", actor: "ann" }, at(2));
      const change = { tenant: fixture.tenant, id: cancelled.id, from: "pending", to: "cancelled" };
      expect(await cancel(cancelled.id)).toEqual({ changed: change });
      expect(await cancel(cancelled.id)).toBeNull();
      expect(await statusOf(cancelled.id)).toBe("cancelled");
      expect(await cancel(running.id)).toEqual({ changed: null });
      expect(await statusOf(running.id)).toBe("sent");
      await activity.deleteNotification(fixture.tenant, gone.id, { at: at(2), actor: "host", limit: 10 });
      const expired = await send({ dueAt: at(50) }, { expiresAt: at(40) });
      expect(await sent(at(50))).toEqual([{ tenant: fixture.tenant, id: expired.id, from: "pending", to: "skipped" }]);
      expect(await statusOf(expired.id)).toBe("skipped");
      expect(await place(fixture.owner("ann"))).toEqual([]);
    });

    const takePage = (now: number) => fixture.storage.broadcasts.takePage(at(now), at(now + 10));
    const takenBy = async (now: number) => {
      const taken = await takePage(now);
      if (taken === null) {
        throw new Error("There is no page.");
      }
      return taken;
    };
    const users = (from: number, to: number) => range(from, to).map((number) => `user ${String(number).padStart(6, "0")}`);
    /** The users of the parts that are left, which are then given up. */
    const usersLeft = async (id: string) => {
      const { deliveries } = fixture.storage;
      const left: string[] = [];
      for (let part = await deliveries.takePart(at(5)); part !== null; part = await deliveries.takePart(at(5))) {
        left.push(...(part.notification.id === id ? part.recipients : []));
        const nothing = { ...newSend(fixture, { channel: "email", to: [] }), notification: part.notification, deliveries: [] };
        await deliveries.writePart(part, nothing, at(5));
      }
      return left.toSorted();
    };

    test("the host's users are taken page by page, each page once, and the fan-out ends with the last one", async () => {
      const { broadcasts, deliveries } = fixture.storage;
      const { id } = await send({ except: ["bob"] }, { isPaged: true });
      const first = await takenBy(10_000);
      expect(first).toMatchObject({ tenant: fixture.tenant, id, cursor: null, place: 0, except: ["bob"], isExpired: false });
      expect(await takePage(10_009)).toBeNull();
      // Whoever took it was killed.
      const again = await takenBy(10_010);
      expect({ ...again, mark: "" }).toEqual({ ...first, mark: "" });
      await broadcasts.addPage(first, { users: users(1, 3), next: "lost" });
      await broadcasts.addPage(again, null);
      const [third, other] = await Promise.all([takePage(10_011), takePage(10_011)]);
      expect([third, other].filter((taken) => taken !== null)).toHaveLength(1);
      const taken = third ?? other;
      if (taken !== null) {
        await broadcasts.addPage(taken, { users: users(1, 300), next: "two" });
        await broadcasts.addPage(taken, { users: users(1, 300), next: "two" });
      }
      const last = await takenBy(10_012);
      expect(last).toMatchObject({ cursor: "two", place: 300 });
      expect(await usersLeft(id)).toEqual(users(1, 300));
      const isEnding = async () => (await deliveries.endingFanOuts(at(30))).some((ending) => ending.id === id);
      expect(await isEnding()).toBe(false);
      await broadcasts.addPage(last, { users: users(301, 302), next: null });
      expect(await takePage(10_040)).toBeNull();
      expect(await usersLeft(id)).toEqual(users(301, 302));
      expect(await isEnding()).toBe(true);
      expect(await statusOf(id)).toBe("pending");
      const end = { changed: { tenant: fixture.tenant, id, from: "pending", to: "sent" } };
      expect(await deliveries.endFanOut({ tenant: fixture.tenant, id }, { as: "written" }, at(50))).toEqual(end);
    });

    test("no page is taken before its time, while many users are to be written, and after a cancel", async () => {
      const { broadcasts, deliveries } = fixture.storage;
      const { id } = await send({ dueAt: at(10_060) }, { isPaged: true });
      expect(await takePage(10_059)).toBeNull();
      // It goes to the inboxes first.
      expect(await takePage(10_060)).toBeNull();
      expect(await sent(at(10_060))).toEqual([null]);
      expect(await statusOf(id)).toBe("pending");
      await broadcasts.addPage(await takenBy(10_060), { users: users(1, 10_000), next: "two" });
      expect(await takePage(10_061)).toBeNull();
      expect(await usersLeft(id)).toHaveLength(10_000);
      const late = await takenBy(10_062);
      const change = { tenant: fixture.tenant, id, from: "pending", to: "sent" };
      const cancelled = { as: "cancelled", actor: "ann" } as const;
      expect(await deliveries.endFanOut({ tenant: fixture.tenant, id }, cancelled, at(10_063))).toEqual({ changed: change });
      await broadcasts.addPage(late, { users: users(1, 3), next: null });
      expect(await usersLeft(id)).toEqual([]);
      expect(await takePage(10_090)).toBeNull();
      // One that has expired is taken once more, to be ended.
      const over = await send({ hasItems: false }, { isPaged: true, expiresAt: at(10_080) });
      const expired = await takenBy(10_090);
      expect(expired).toMatchObject({ id: over.id, isExpired: true });
      await broadcasts.addPage(expired, { users: [], next: null });
      expect(await takePage(10_200)).toBeNull();
      await deliveries.endFanOut({ tenant: fixture.tenant, id: over.id }, { as: "skipped" }, at(90));
      expect(await statusOf(over.id)).toBe("skipped");
    });

    test("exceptions are exported, and erased with their user", async () => {
      const { broadcasts } = fixture.storage;
      const first = await broadcast({}, { except: ["ann", "bob"] });
      const second = await broadcast({}, { except: ["ann"] });
      await broadcast({}, { except: ["anna"] });
      const owner = fixture.owner("ann");
      const { records, next } = await broadcasts.export(owner, { after: null, limit: 1 });
      expect(records).toEqual([{ notificationId: first.id, userId: "ann" }]);
      expect(await broadcasts.export(owner, { after: next, limit: 2 })).toEqual({
        records: [{ notificationId: second.id, userId: "ann" }],
        next: null,
      });
      expect(await broadcasts.erase(owner, 1, at(2))).toEqual({ removed: 1, isDone: false });
      expect(await broadcasts.erase(owner, 5, at(2))).toEqual({ removed: 1, isDone: true });
      expect((await broadcasts.export(owner, { after: null, limit: 5 })).records).toEqual([]);
      expect((await broadcasts.export(fixture.owner("bob"), { after: null, limit: 5 })).records).toHaveLength(1);
    });

    test("whoever is deleted while a page is read is left out of it, and of later ones, as long as broadcasts of before go on", async () => {
      const { broadcasts } = fixture.storage;
      const page = async (now: number, id: string) => {
        const taken = await takenBy(now);
        expect(taken.id).toBe(id);
        return taken;
      };
      const { id } = await send({ hasItems: false }, { isPaged: true });
      const first = await page(10_000, id);
      await broadcasts.erase(fixture.owner("user 000002"), 10, at(10_001));
      await broadcasts.erase(fixture.owner("user 000003"), 10, at(10_001));
      await broadcasts.addPage(first, { users: users(1, 4), next: "two" });
      expect(await usersLeft(id)).toEqual([...users(1, 1), ...users(4, 4)]);
      await broadcasts.addPage(await page(10_002, id), { users: users(2, 2), next: null });
      expect(await usersLeft(id)).toEqual([]);
      const later = await send({ hasItems: false, dueAt: at(10_002) }, { isPaged: true });
      await broadcasts.addPage(await page(10_003, later.id), { users: users(1, 4), next: null });
      expect(await usersLeft(later.id)).toEqual(users(1, 4));
      for (const gone of [id, later.id]) {
        await fixture.storage.activity.deleteNotification(fixture.tenant, gone, { at: at(2), actor: "host", limit: 10 });
      }
      await broadcasts.sweep({ at: at(2), before: new Date(0) }, { after: null, limit: 10 });
      const last = await send({ hasItems: false }, { isPaged: true });
      await broadcasts.addPage(await page(10_004, last.id), { users: users(1, 4), next: null });
      expect(await usersLeft(last.id)).toEqual(users(1, 4));
    });

    test("whoever was deleted and comes back gets nothing from before, since whenever the host has known them", async () => {
      const owner = fixture.owner("ann");
      const { createdAt } = await broadcast();
      await fixture.storage.broadcasts.erase(owner, 10, new Date(createdAt.getTime() + 1));
      await fixture.fill("ann", 1);
      expect(await missed(owner, 100, new Date(0))).toMatchObject({ beganAfter: 1, broadcasts: [] });
      await fixture.fill("bob", 1);
      expect(await missed(fixture.owner("bob"), 100, new Date(0))).toMatchObject({ beganAfter: 0, broadcasts: [{ number: 1 }] });
    });

    test("a sweep ends broadcasts that are old or have expired, and drops those that nobody got", async () => {
      await fixture.fill("ann", 1);
      const owner = fixture.owner("ann");
      const [gone, got] = [await broadcast(), await broadcast({ expiresAt: at(200) })];
      const left = await broadcast();
      await end(gone);
      await place(owner);
      const sweep = async (times: { at: Date; before: Date }) => {
        for (let removed = 1; removed > 0; ) {
          ({ removed } = await fixture.storage.broadcasts.sweep(times, { after: null, limit: 2 }));
        }
      };
      await sweep({ at: at(199), before: new Date(0) });
      expect(await end(got)).toBe(true);
      await sweep({ at: at(200), before: left.createdAt });
      expect(await end(left)).toBe(true);
      const unseen = await broadcast();
      await sweep({ at: at(200), before: new Date(unseen.createdAt.getTime() + 1) });
      expect(
        await fixture.storage.activity.deleteNotification(fixture.tenant, unseen.id, { at: at(2), actor: "host", limit: 10 }),
      ).toBeNull();
    });
  });
}
