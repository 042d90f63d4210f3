import { type Inbox, type InboxEvent, memoryTransport, NotificationService } from "@belfry/core";
import type { InboxStorage, Storage, Transport, TransportListener } from "@belfry/core/storage";
import { testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";
import { FollowingClient, itemLine } from "./following-client.ts";

const ITEMS = 2_100;
/** So many that are read are deleted at once. */
const MARKED = 1_100;

/** A storage in which something happens before each step of a change by filter, by the number of the step. */
function between(storage: Storage, before: (step: number) => Promise<unknown>): Storage {
  let steps = 0;
  const changeMatching: InboxStorage["changeMatching"] = async (...given) => {
    steps += 1;
    await before(steps);
    return await storage.inbox.changeMatching(...given);
  };
  const of = <Part extends object>(part: Part, own: object): Part =>
    new Proxy(part, {
      get(target, name) {
        const value: unknown = Reflect.get(own, name) ?? Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  return of(storage, { inbox: of(storage.inbox, { changeMatching }) });
}

async function linesOf(inbox: Inbox): Promise<readonly string[]> {
  const lists = await Promise.all([{}, { archived: true }].map((place) => inbox.list({ ...place, limit: 1_000 })));
  const items = lists.flatMap(({ items }) => items).toSorted((one, other) => one.seq - other.seq);
  return items.map(itemLine);
}

onEveryStorage((database) => {
  describe("a call that takes several steps", () => {
    const start = async (storage = database.storage(), transport: Transport = memoryTransport()) => {
      const notifications = stopsAfterTest(new NotificationService({ storage, transport, clock: testClock() }));
      await notifications.start();
      return { notifications, inbox: notifications.inbox("ann") };
    };
    const fill = async ({ notifications }: { readonly notifications: NotificationService }) => {
      await Promise.all(
        Array.from({ length: ITEMS }, (_, at) =>
          notifications.create({ to: "ann", title: `${at}`, ...(at % 4 < 2 ? { group: "pairs" } : {}) }),
        ),
      );
    };
    const create = async ({ notifications }: { readonly notifications: NotificationService }, many: number) => {
      await Promise.all(Array.from({ length: many }, (_, at) => notifications.create({ to: "ann", title: `${at}` })));
    };
    const events = async (inbox: Inbox) => {
      const told: InboxEvent[] = [];
      const states: boolean[] = [];
      const onState = (recovered: boolean) => void states.push(recovered);
      const subscription = inbox.subscribe({ onEvent: (event) => void told.push(event), onState });
      await subscription.ready;
      return { told, states, close: () => subscription.close() };
    };
    const changesOf = async (inbox: Inbox, since: number) => {
      const client = { told: [] as InboxEvent[], recovered: false };
      const { epoch, lastSeq } = await inbox.counts();
      const onState = (recovered: boolean) => {
        client.recovered = recovered;
      };
      const subscription = inbox.subscribe(
        { onEvent: (event) => void client.told.push(event), onState },
        { epoch, seq: lastSeq, rev: since },
      );
      await subscription.ready;
      subscription.close();
      return client;
    };

    /** An event with the number of items instead of all their numbers. */
    const short = ({ seqs, ...event }: InboxEvent) => ({ ...event, covers: seqs?.length });

    test("is one change to who follows the inbox, however often the feed looks meanwhile, and to who comes back", async () => {
      let listener: TransportListener | undefined;
      const transport = memoryTransport();
      const started = (given: TransportListener) => {
        listener = given;
        return transport.start(given);
      };
      let one: Awaited<ReturnType<typeof events>> | undefined;
      const look = async (step: number) => {
        listener?.onGap();
        await expect.poll(() => one?.states).toEqual(Array.from({ length: step }, () => true));
      };
      const here = await start(between(database.storage(), look), { ...transport, start: started });
      await fill(here);
      one = await events(here.inbox);
      expect(await here.inbox.markAllRead({ upTo: ITEMS - 1 })).toBe(ITEMS - 1);
      const { rev } = await here.inbox.counts();
      expect(rev).toBe(3);
      const change = { change: "read_matching", count: ITEMS - 1, rev, at: expect.any(Date), covers: ITEMS - 1 };
      await expect.poll(() => one?.told.map(short)).toMatchObject([change]);
      // Who knows the first step, or none, is told all.
      for (const since of [0, 1, 2]) {
        const { told, recovered } = await changesOf(here.inbox, since);
        expect([told.map(short), recovered]).toMatchObject([[change], true]);
      }
      expect(await changesOf(here.inbox, 3)).toEqual({ told: [], recovered: true });
      await here.inbox.pin({ seq: 1 });
      await expect.poll(() => one?.told.map((event) => event.change)).toEqual(["read_matching", "pinned"]);
      one.close();
    });

    test("of another's change between two steps, both are told in their order", async () => {
      let inbox: Inbox | null = null;
      const here = await start(between(database.storage(), async (step) => (step === 2 ? await inbox?.pin({ seq: 7 }) : undefined)));
      await fill(here);
      inbox = here.inbox;
      const one = await events(here.inbox);
      expect(await here.inbox.archiveAll()).toBe(ITEMS);
      await expect.poll(() => one.told.at(-1)?.rev).toBe(4);
      const covered = one.told.flatMap(({ seqs, seq }) => seqs ?? [seq]);
      expect(new Set(covered).size).toBe(ITEMS);
      const { told } = await changesOf(here.inbox, 0);
      expect(told.map(({ change, rev }) => [change, rev])).toEqual([
        ...Array.from({ length: 1_000 }, () => ["archived", 1]),
        ["pinned", 2],
        ["archived_matching", 4],
      ]);
      one.close();
    });

    test("that fails, or whose process dies, leaves a log from which everybody comes to the state of the database", async () => {
      const storage = database.storage();
      const failing = between(storage, async (step) => {
        if (step === 3) {
          throw new Error("The connection is gone.");
        }
      });
      const here = await start(failing);
      await fill(here);
      const client = new FollowingClient();
      await client.resume(here.inbox);
      await client.drop();
      const live = await events(here.inbox);
      await expect(here.inbox.archiveAll({ filter: { seen: false } })).rejects.toThrow("gone");
      await expect.poll(() => live.told).toMatchObject([{ change: "archived_matching", count: 2_000, rev: 2 }]);
      await client.resume(here.inbox);
      client.drop();
      // A process that dies tells nobody.
      const owner = here.inbox.owner;
      const step = { mark: "read", at: new Date(), places: ["active", "archived"], filter: {}, upTo: ITEMS } as const;
      await storage.inbox.mark(owner, [{ seq: 1 }], { mark: "pinned", at: step.at });
      const { next, counts } = await storage.inbox.changeMatching(owner, { ...step, after: 0 });
      await storage.inbox.changeMatching(owner, { ...step, after: next ?? 0, continues: counts.rev });
      const elsewhere = await start();
      await client.resume(elsewhere.inbox);
      expect(client.lost).toBe(0);
      const shown = await linesOf(elsewhere.inbox);
      const newest = new Set(shown);
      expect(client.lines.filter((line) => newest.has(line))).toEqual(shown);
      client.drop();
      live.close();
    });

    test("that deletes what is read is one change, and if it failed, a repetition with its key does the rest of it, once", async () => {
      let inbox: Inbox | null = null;
      const meanwhile = async (step: number) => {
        if (step === 3) {
          throw new Error("The connection is gone.");
        }
        if (step === 6 && inbox !== null) {
          await inbox.markUnread({ seq: ITEMS - 1 });
          await inbox.archive({ seq: ITEMS });
          await here.notifications.create({ to: "ann", title: "later" });
          await inbox.markRead({ seq: ITEMS + 1 });
        }
      };
      const here = await start(between(database.storage(), meanwhile));
      await fill(here);
      inbox = here.inbox;
      await inbox.markAllRead();
      await inbox.markUnread({ seq: 1 });
      const client = new FollowingClient();
      await client.resume(inbox);
      const one = await events(inbox);
      const counts: number[] = [];
      here.notifications.on("inbox.read_deleted", ({ count }) => void counts.push(count));
      const once = inbox.withKey("delete what is read");
      await expect(once.removeRead()).rejects.toThrow("gone");
      expect(await inbox.counts()).toMatchObject({ total: ITEMS - 1_999, unread: 1 });
      expect(await once.removeRead()).toBe(2_097);
      expect(await once.removeRead()).toBe(2_097);
      expect(await inbox.counts()).toMatchObject({ total: 3, unread: 2, rev: 8 });
      expect(counts).toEqual([1_999, 98]);
      const shown = await linesOf(inbox);
      await expect.poll(() => client.lines).toEqual(shown);
      expect(client.lost).toBe(0);
      expect(one.told.map(short)).toMatchObject([
        { change: "deleted_read", count: 1_999, rev: 4, covers: 1_999 },
        { change: "unread", seq: ITEMS - 1 },
        { change: "archived", seq: ITEMS },
        { change: "created", seq: ITEMS + 1 },
        { change: "read", seq: ITEMS + 1 },
        { change: "deleted_read", count: 98, rev: 8, covers: 98 },
      ]);
      // Who reads it from the log is told the same number.
      const { told } = await changesOf(inbox, 2);
      const deleted = told.filter(({ change }) => change === "deleted_read");
      expect(deleted.map(({ count, rev }) => [count, rev])).toEqual([
        [1_999, 4],
        [98, 8],
      ]);
      one.close();
      client.drop();
    });

    test("that deletes at once what a mark has read is told as one that deletes item by item, also if it failed after that", async () => {
      let inbox: Inbox | null = null;
      const meanwhile = async (step: number) => {
        if (step === 2 && inbox !== null) {
          await inbox.markUnread({ seq: MARKED + 1 });
          await inbox.archive({ seq: MARKED + 2 });
          await here.notifications.create({ to: "ann", title: "later" });
          await inbox.markRead({ seq: MARKED + 5 });
          throw new Error("The connection is gone.");
        }
      };
      const storage = database.storage();
      const here = await start(between(storage, meanwhile));
      await create(here, MARKED);
      inbox = here.inbox;
      await inbox.remove({ seq: 2 });
      await inbox.markAllRead();
      await create(here, 4);
      await inbox.markMany(
        [1, 2, 3].map((above) => ({ seq: MARKED + above })),
        "read",
      );
      const { rev } = await inbox.counts();
      const client = new FollowingClient();
      await client.resume(inbox);
      const one = await events(inbox);
      const once = inbox.withKey("delete what is read");
      await expect(once.removeRead()).rejects.toThrow("gone");
      expect(await inbox.counts()).toMatchObject({ total: 4, unread: 2, rev: rev + 4 });
      expect(await once.removeRead()).toBe(MARKED);
      expect(await once.removeRead()).toBe(MARKED);
      const shown = await linesOf(inbox);
      await expect.poll(() => client.lines).toEqual(shown);
      expect(shown.length).toBe(4);
      expect(client.lost).toBe(0);
      const { told } = await changesOf(inbox, rev);
      for (const all of [one.told, told]) {
        const deleted = all.filter(({ change }) => change === "deleted_read");
        expect(deleted.map(({ count, seqs, ...event }) => [count, seqs?.length, event.rev])).toEqual([
          [MARKED - 1, MARKED, rev + 1],
          [1, 1, rev + 5],
        ]);
      }
      one.close();
      client.drop();
      // Services whose data stays for ever bring the items up to date, too.
      const settle = () => storage.inbox.settleRemoved({ after: null, limit: 10 });
      expect(await settle()).toEqual({ removed: 0, next: expect.any(String) });
      await here.notifications.sweep();
      expect(await settle()).toEqual({ removed: 0, next: null });
      expect(await linesOf(inbox)).toEqual(shown);
    });

    test("goes by what was read and seen when it began, whatever others mark meanwhile", async () => {
      let [inbox, steps]: [Inbox | null, number] = [null, 0];
      const meanwhile = async () => {
        steps += 1;
        if (steps % 3 === 2) {
          await inbox?.markRead({ seq: 1_501 });
          await inbox?.markSeen({ seq: 1_502 });
        }
        if (steps % 3 === 0) {
          await inbox?.markAllRead();
        }
      };
      const here = await start(between(database.storage(), meanwhile));
      await fill(here);
      inbox = here.inbox;
      await inbox.markAllRead();
      const unread = [1_501, 1_502, ITEMS].map((seq) => ({ seq }));
      await inbox.markMany([...unread, { seq: 1_503 }], "unread");
      await inbox.markMany(unread, "unseen");
      await inbox.markRead({ seq: 1_503 });
      expect(await inbox.archiveAll({ filter: { read: true } })).toBe(ITEMS - 3);
      expect(steps).toBe(3);
      const { items } = await inbox.list({ archived: true, limit: 1_000 });
      await inbox.unarchive({ seq: 1_503 });
      await inbox.markMany(unread, "unread");
      await inbox.markMany(
        items.slice(0, 500).map(({ id }) => id),
        "unarchived",
      );
      expect(await inbox.removeRead()).toBe(501);
      expect(await inbox.counts()).toMatchObject({ total: 3, unread: 0 });
    });

    test("repeated with its key after it failed, does what is left of what it was about when it began", async () => {
      let steps = 0;
      const fail = async () => {
        steps += 1;
        if (steps === 2) {
          throw new Error("The connection is gone.");
        }
      };
      const here = await start(between(database.storage(), fail));
      await fill(here);
      const { inbox } = here;
      await inbox.markAllRead();
      const unread = [1, 1_501, 1_502].map((seq) => ({ seq }));
      await inbox.markMany(unread, "unread");
      const archive = inbox.withKey("archive what is read");
      await expect(archive.archiveAll({ filter: { read: true } })).rejects.toThrow("gone");
      await expect(archive.removeRead()).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
      await inbox.markRead({ seq: 1_501 });
      await here.notifications.create({ to: "ann", title: "later" });
      await inbox.markAllRead();
      expect(await archive.archiveAll({ filter: { read: true } })).toBe(ITEMS - 3);
      expect(await inbox.counts()).toMatchObject({ total: 4, unread: 0 });
      expect(await archive.archiveAll({ filter: { read: true } })).toBe(ITEMS - 3);
      const { items } = await inbox.list({ archived: true, limit: 600 });
      const back = items.map(({ id }) => id);
      await inbox.markMany(back, "unarchived");
      await inbox.markMany(unread, "unread");
      // Two at once do it together, and both answer as one.
      const remove = () => inbox.withKey("remove what is read").removeRead();
      expect(await Promise.all([remove(), remove()])).toEqual([601, 601]);
      expect(await inbox.counts()).toMatchObject({ total: 3, unread: 3 });
    });

    test("on a group is one change as well", async () => {
      const here = await start();
      await fill(here);
      const one = await events(here.inbox);
      const pinned: string[] = [];
      here.notifications.on("item.pinned", ({ id }) => void pinned.push(id));
      const group = here.inbox.group("pairs");
      const size = ITEMS / 2;
      expect(await group.mark("read")).toBe(size);
      await expect.poll(() => one.told.map(short)).toMatchObject([{ change: "read_matching", count: size, rev: 2, covers: size }]);
      expect(await group.mark("pinned", { upTo: ITEMS - 3 })).toBe(size - 1);
      await expect.poll(() => one.told.length, { timeout: 20_000 }).toBe(size);
      const told = one.told.slice(1);
      expect(told.map(({ change, rev, left }) => [change, rev, left])).toEqual(told.map((_, at) => ["pinned", 4, size - 2 - at]));
      expect(told.at(-1)).toMatchObject({ seq: ITEMS - 3, item: { pinnedAt: expect.any(Date) } });
      expect(pinned.length).toBe(size - 1);
      const resumed = await changesOf(here.inbox, 3);
      expect([resumed.told.length, resumed.recovered]).toEqual([size - 1, true]);
      expect(await group.remove()).toBe(size);
      expect(await here.inbox.counts()).toMatchObject({ total: size, unread: size, rev: 6 });
      expect((await here.inbox.groups()).groups).toEqual([]);
      await expect.poll(() => one.told.length, { timeout: 20_000 }).toBe(2 * size);
      one.close();
    });
  });
});
