import { randomInt } from "node:crypto";
import { type CountsOfPlace, type Inbox, type InboxItem, type ItemRef, NotificationService } from "@belfry/core";
import { testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";
import { FollowingClient, itemLine } from "./following-client.ts";

const OPERATIONS = process.env.BELFRY_LONG ? 20_000 : 80;
const CLIENTS = 4;
const MARKS = ["read", "unread", "seen", "unseen", "pinned", "unpinned", "archived", "unarchived", "woken"] as const;
const SECOND_MS = 1_000;

/** Numbers that repeat with their seed: mulberry32. */
function randomsOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Everything in an inbox that is not deleted. */
async function everything(inbox: Inbox): Promise<readonly InboxItem[]> {
  const places = [{}, { archived: true }, { snoozed: true }];
  const lists = await Promise.all(places.map((place) => inbox.list({ ...place, limit: 1_000 })));
  return lists.flatMap(({ items }) => items).toSorted((one, other) => one.seq - other.seq);
}

/** Checks that the groups of an inbox, and filtered counts of them, are those of its active items. */
async function expectTrueGroups(inbox: Inbox, active: readonly InboxItem[]): Promise<void> {
  const recount = (items: readonly InboxItem[]) => ({ total: items.length, unread: items.filter(({ readAt }) => readAt === null).length });
  const present = Map.groupBy(active, ({ group }) => group);
  const expected = [...present].flatMap(([group, items]) =>
    group === null ? [] : [{ group, ...recount(items), newest: items.at(-1)?.seq }],
  );
  const { groups } = await inbox.groups({ limit: 100 });
  const shown = groups.map(({ group, total, unread, newest: { seq } }) => ({ group, total, unread, newest: seq }));
  expect(shown).toEqual(expected.toSorted((one, other) => (other.newest ?? 0) - (one.newest ?? 0)));
  const { filtered } = await inbox.counts({ filters: [{ group: "thread 0" }, { types: ["note"] }] });
  const counted = [present.get("thread 0") ?? [], active.filter(({ type }) => type === "note")].map(recount);
  expect(filtered).toMatchObject(counted);
}

/** Checks that the counts of an inbox are those of its items, and returns both. */
async function recounted(inbox: Inbox) {
  const items = await everything(inbox);
  const counts = await inbox.counts();
  const active = items.filter(({ archivedAt, snoozedUntil }) => archivedAt === null && snoozedUntil === null);
  const unread = active.filter(({ readAt }) => readAt === null).length;
  const unseen = active.filter(({ isSeen }) => !isSeen).length;
  expect(counts).toMatchObject({ total: active.length, unread, unseen });
  await expectTrueGroups(inbox, active);
  return { counts, lines: items.map(itemLine) };
}

/** Does something random to a group, or to what matches a filter. */
async function changeMany(inbox: Inbox, lastSeq: number, random: (below: number) => number, nowMs: number): Promise<void> {
  const upTo = Math.max(1, lastSeq - random(10));
  const named = { group: `thread ${random(3)}` };
  const filters = [
    { pinned: random(2) === 0 },
    named,
    { ...named, read: random(2) === 0 },
    { types: ["note", "talk"].slice(random(2)) },
    {},
  ];
  const input = { filter: filters[random(filters.length)] ?? {}, upTo };
  const group = inbox.group(named.group);
  const calls = [
    () => inbox.markAllRead(input),
    () => inbox.markAllSeen(input),
    () => inbox.archiveAll(input),
    () => group.mark(MARKS[random(MARKS.length)] ?? "read", { upTo }),
    () => group.mark(MARKS[random(MARKS.length)] ?? "read"),
    () => group.snooze(new Date(nowMs + (1 + random(30)) * SECOND_MS), { upTo }),
    () => group.remove({ upTo }),
  ];
  await calls[random(calls.length)]?.();
}

/** A notification that may expire, be in a group, and replace another one. */
function randomInput(lastSeq: number, random: (below: number) => number, nowMs: number) {
  const expiresAt = random(3) === 0 ? { expiresAt: new Date(nowMs + (1 + random(60)) * SECOND_MS) } : {};
  const group = random(3) === 0 ? { group: `thread ${random(3)}`, actor: `user ${random(6)}` } : {};
  const replace = random(5) === 0 ? { replace: `key ${random(3)}` } : {};
  return { to: "ann", title: `Number ${lastSeq}`, type: random(2) === 0 ? "note" : "talk", ...expiresAt, ...group, ...replace };
}

/** Does something random in an inbox that has about 60 items. */
async function step(notifications: NotificationService, inbox: Inbox, random: (below: number) => number, nowMs: number): Promise<void> {
  const { lastSeq } = await inbox.counts();
  const some = (most: number): ItemRef[] => Array.from({ length: 1 + random(most) }, () => ({ seq: Math.max(1, lastSeq - random(60)) }));
  const kind = random(100);
  if (kind < 25 || lastSeq === 0) {
    await notifications.create(randomInput(lastSeq, random, nowMs));
  } else if (kind < 64) {
    await inbox.markMany(some(5), MARKS[random(MARKS.length)] ?? "read");
  } else if (kind < 72) {
    const ref = some(1)[0] ?? { seq: 1 };
    await inbox.snooze(ref, new Date(nowMs + (1 + random(30)) * SECOND_MS)).catch(() => undefined);
  } else if (kind < 78) {
    await inbox.removeMany(some(3));
  } else if (kind < 81) {
    await inbox.removeRead();
  } else if (kind < 85) {
    await (random(2) === 0 ? inbox.markAllRead() : inbox.markAllSeen());
  } else {
    await changeMany(inbox, lastSeq, random, nowMs);
  }
}

/** Clients of one inbox, who drop and resume at random. */
class Clients {
  readonly #all = Array.from({ length: CLIENTS }, () => new FollowingClient());
  readonly #random: (below: number) => number;

  constructor(random: (below: number) => number) {
    this.#random = random;
  }

  /** Drops one of the clients, or lets it resume, or leaves it as it is. Answers the one that resumed. */
  async shuffle(inboxes: readonly Inbox[]): Promise<FollowingClient | null> {
    const client = this.#all[this.#random(CLIENTS)] as FollowingClient;
    if (client.isConnected) {
      client.drop();
      return null;
    }
    if (this.#random(3) > 0) {
      return null;
    }
    await client.resume(inboxes[this.#random(inboxes.length)] as Inbox);
    return client;
  }

  /** Drops all, and lets all resume. */
  async resumeAll(inboxes: readonly Inbox[]): Promise<readonly FollowingClient[]> {
    for (const client of this.#all) {
      client.drop();
      await client.resume(inboxes[this.#random(inboxes.length)] as Inbox);
    }
    return this.#all;
  }

  /** Those that follow, once they have been told of this change. */
  async live(rev: number): Promise<readonly FollowingClient[]> {
    const live = this.#all.filter(({ isConnected }) => isConnected);
    for (const client of live) {
      await expect.poll(() => client.position.rev, { interval: 1 }).toBe(rev);
    }
    return live;
  }
}

/** The counts of an inbox, and their place. */
function placed({ total, unread, unseen, lastSeq, epoch, rev }: CountsOfPlace) {
  return { total, unread, unseen, lastSeq, epoch, rev };
}

/** What a client that has resumed shows. */
function shownBy({ lost, counts, lines }: FollowingClient) {
  return { lost, counts, lines };
}

onEveryStorage((database) => {
  describe("clients that drop and resume", () => {
    const service = async (clock = testClock()) => {
      const notifications = stopsAfterTest(new NotificationService({ storage: database.storage(), clock }));
      await notifications.start();
      return { clock, notifications, inbox: notifications.inbox("ann") };
    };

    test(
      `come to the state of the database after ${OPERATIONS} random operations, and counts equal a recount after each`,
      async () => {
        const seed = Number(process.env.BELFRY_WALK_SEED ?? randomInt(2 ** 31));
        const random = randomsOf(seed);
        const { clock, notifications, inbox } = await service();
        const clients = new Clients(random);
        for (let done = 0; done < OPERATIONS; done += 1) {
          await step(notifications, inbox, random, clock.now());
          if (random(4) === 0) {
            // What is due is woken, or expires.
            await clock.pass(random(20) * SECOND_MS);
            await notifications.runDue();
          }
          const { counts, lines } = await recounted(inbox);
          const resumed = await clients.shuffle([inbox]);
          expect({ seed, done, ...(resumed && shownBy(resumed)) }).toEqual({ seed, done, ...(resumed && { lost: 0, counts, lines }) });
          for (const live of await clients.live(counts.rev)) {
            expect({ seed, done, lines: live.lines }).toEqual({ seed, done, lines });
            // What the last event, or the state before any, said of the counts.
            const told = live.told ?? live.counts ?? counts;
            expect({ seed, done, uncounted: live.uncounted, ...placed(told) }).toEqual({ seed, done, uncounted: 0, ...placed(counts) });
          }
        }
      },
      OPERATIONS * 200 + 60_000,
    );

    test("come to it while two services change the inbox at once", async () => {
      const services = await Promise.all([service(), service()]);
      const inboxes = services.map(({ inbox }) => inbox);
      const random = randomsOf(randomInt(2 ** 31));
      const clients = new Clients(random);
      for (let round = 0; round < 40; round += 1) {
        await Promise.all(services.map(({ notifications, inbox, clock }) => step(notifications, inbox, random, clock.now())));
        await clients.shuffle(inboxes);
      }
      const all = await clients.resumeAll(inboxes);
      const [first] = inboxes;
      const { counts, lines } = await recounted(first as Inbox);
      const { lastSeq: seq, epoch, rev } = counts;
      const expected = { lost: 0, counts, lines, position: { seq, epoch, rev } };
      expect(all.map((client) => ({ ...shownBy(client), position: client.position }))).toEqual(all.map(() => expected));
    });

    test("hear that an inbox has begun anew, and of its changes from the first one on", async () => {
      const { notifications, inbox } = await service();
      await notifications.create({ to: "ann", title: "Old" });
      const client = new FollowingClient();
      await client.resume(inbox);
      await inbox.markRead({ seq: 1 });
      await expect.poll(() => client.position.rev).toBe(1);
      await notifications.deleteUser("ann");
      await notifications.create({ to: "ann", title: "New" });
      await expect.poll(() => client.lost).toBe(1);
      await inbox.markRead({ seq: 1 });
      const { lines } = await recounted(inbox);
      await expect.poll(() => client.lines).toEqual(lines);
      client.drop();
    });
  });
});
