import type { Storage } from "@belfry/core/storage";
import { describe, expect, onTestFinished, test } from "vitest";
import { removeRead } from "../storage-suite/steps.ts";
import {
  ALARM,
  DEVICE,
  DUE,
  EVENT,
  EXPIRING,
  FAILED,
  GROUPED,
  LATER_RECORD,
  LONG_PROMPT,
  MESSAGE,
  minuteOf,
  OF_CATEGORY,
  PUBLISHED_ROWS,
  type PublishedRow,
  RECENT,
  RECORD,
  RETRY_RUN,
  SENT,
  THEN,
} from "./published-rows.ts";

/** The storage that {@link upgradeSuite} tests. */
export interface UpgradeHarness {
  /** How many migrations the storage has. */
  readonly migrations: number;
  /** Makes a database that has the first `count` migrations, and these rows. */
  create(count: number, rows: readonly PublishedRow[]): Promise<UpgradeSubject>;
}

/** A database of an earlier version. */
export interface UpgradeSubject {
  /** Opens a storage of today over it. */
  open(): Promise<Storage>;
  /** Resolves once nothing is left to migrate, what is taken away included. */
  migrated(): Promise<void>;
  dispose(): Promise<void>;
}

const owner = { tenant: "acme", userId: "ann" };

/** Short runs begin at every fourth of the old states, whose migrations do not change any more, and at each of the newest. */
const EVERY = 4;
const NEWEST = 3;

/** What is expected of the rows of a migration, and all later ones. */
const EXPECTED: readonly (readonly [since: number, expectRows: (storage: Storage, count: number) => Promise<void>])[] = [
  [2, expectDeliveries],
  [3, (storage, count) => expectHub(storage, count >= 10)],
  [7, expectSums],
  [14, expectPreferences],
  [24, expectLog],
  [25, expectCategories],
  [26, expectGroups],
  [1, expectTopics],
  [29, expectExpiry],
  [32, expectBroadcasts],
  [1, expectDevices],
  [1, expectHolds],
  [1, expectRetryRuns],
  [1, expectAlarms],
  [1, expectSuppressions],
];

/** Declares the tests that hold a storage's migrations to the data of every version that was published. */
export function upgradeSuite(name: string, harness: UpgradeHarness): void {
  describe(`upgrades of ${name}`, () => {
    const states = Array.from({ length: harness.migrations }, (_, index) => index + 1).filter(
      (count) => process.env.BELFRY_LONG || count % EVERY === 1 || count > harness.migrations - NEWEST,
    );
    test.each(states)("data of migration %i is all there, and can be worked on", async (count) => {
      const subject = await harness.create(
        count,
        PUBLISHED_ROWS.filter(({ since, until = count }) => since <= count && count <= until),
      );
      onTestFinished(() => subject.dispose());
      const storage = await subject.open();
      onTestFinished(() => storage.close());
      await expectInbox(storage);
      for (const [since, expectRows] of EXPECTED) {
        if (count >= since) {
          await expectRows(storage, count);
        }
      }
      await subject.migrated();
      expect((await storage.inbox.counts(owner)).total).toBe(3);
      await expectChanges(storage);
    });
  });
}

async function expectInbox({ inbox }: Storage): Promise<void> {
  const page = await inbox.list(owner, { status: "all", limit: 10 });
  expect(page.items.map(({ id, seq, readAt }) => [id, seq, readAt])).toEqual([
    [EVENT, 3, null],
    [SENT, 2, THEN],
    [MESSAGE, 1, THEN],
  ]);
  expect(page.items[2]).toMatchObject({ type: "note", title: "Title 1", message: "Message 1", data: { n: 1 }, createdAt: THEN });
  expect(page.counts).toMatchObject({ total: 3, unread: 1, unseen: 1, lastSeq: 3, epoch: "first" });
  expect(page.items).toMatchObject([false, true, true].map((isSeen) => ({ isSeen, pinnedAt: null, archivedAt: null, snoozedUntil: null })));
  expect((await inbox.list(owner, { status: "unread", limit: 10 })).items.map(({ seq }) => seq)).toEqual([3]);
  expect((await inbox.list(owner, { status: "read", limit: 10 })).items.map(({ seq }) => seq)).toEqual([2, 1]);
  const fannedOut = new Set<string>();
  for (let chunk = await inbox.fanOutNext(THEN); chunk !== null; chunk = await inbox.fanOutNext(THEN)) {
    for (const { userId, seq } of chunk.items) {
      fannedOut.add(`${userId} ${seq}`);
    }
  }
  expect([...fannedOut]).toEqual(expect.arrayContaining(["bob 1", "cat 1"]));
}

async function expectDeliveries({ deliveries, apiKeys }: Storage): Promise<void> {
  expect(await deliveries.findSend("acme", SENT)).toMatchObject({ status: "pending", roomId: "lobby", attempts: 1, createdAt: THEN });
  const tracked = await deliveries.deliveriesOf("acme", [SENT], { offset: 0, limit: 100 });
  expect(tracked.map(({ id, status, attempts }) => [id, status, attempts.map(({ error }) => error)])).toEqual([
    [DUE, "pending", []],
    [FAILED, "failed", ["550"]],
  ]);
  expect(tracked.flatMap(({ attempts }) => attempts.map(({ exchange }) => exchange))).toEqual([null]);
  expect(tracked.map(({ recipientKind, reasonSource }) => [recipientKind, reasonSource])).toEqual(Array(2).fill(["address", null]));
  const request = { owner: "worker", at: new Date(), leaseMs: 60_000, limit: 10, perEndpoint: 10, channels: ["email"] };
  const [claimed, ...more] = await deliveries.leases.claim({ ...request, exceptTenants: [], exceptEndpoints: [] });
  expect(more).toEqual([]);
  expect(claimed).toMatchObject({
    delivery: { id: DUE, attempt: 1, recipient: "1@example.com" },
    notification: { id: SENT, title: "Title 2" },
    ...{ scheduledAt: null, roomId: "lobby", meta: { n: 1, notification_type: "note" } },
  });
  await deliveries.settle({ kind: "deliveries", ids: [DUE] }, new Date(), (loaded) => {
    expect(loaded).toMatchObject([{ state: { id: SENT, chains: { pending: 1, failed: 1 } }, chains: [[{ id: DUE }]] }]);
    return { deliveries: [], attempts: [], sends: [], audit: [] };
  });
  expect(await deliveries.listAudit("acme", { limit: 10 })).toMatchObject([
    { number: 1, action: "created", notificationId: SENT, targetKind: null, targetId: null, details: null },
  ]);
  expect(await apiKeys.find("key")).toMatchObject({ name: "A key", scopes: ["read"] });
}

async function expectSums({ activity }: Storage): Promise<void> {
  const window = { from: minuteOf(RECENT), bucketMs: 60_000, buckets: 1 };
  const counted = { channel: "email", succeeded: 1, failed: 1, lost: 0, p50Ms: 1_200, p95Ms: 1_200 };
  expect(await activity.health("counted", window, new Date())).toMatchObject([counted]);
}

async function expectHub({ hub }: Storage, hasReferredPrompts: boolean): Promise<void> {
  expect(await hub.findEvents("acme", [EVENT])).toMatchObject([{ source: "shop", sender: "ann" }]);
  const claimed = await hub.leases.claim({ owner: "worker", at: new Date(), leaseMs: 60_000, limit: 10, exceptTenants: [] });
  const later = { record: { id: LATER_RECORD, prompt: LONG_PROMPT }, event: { id: EVENT } };
  expect(claimed).toMatchObject([
    { record: { id: RECORD, prompt: "Do it" }, event: { id: EVENT } },
    ...(hasReferredPrompts ? [later] : []),
  ]);
}

async function expectPreferences({ decisions }: Storage): Promise<void> {
  const place = { scope: "type", name: "note", channel: "email", when: { n: 1 } } as const;
  expect((await decisions.preferencesOf("acme", ["ann"])).users.get("ann")).toMatchObject({
    choices: [{ ...place, value: "daily" }],
    settings: {
      ...{ timeZone: "Asia/Tokyo", quietHours: [{ from: "22:00", to: "07:00" }] },
      ...{ pauseUntil: THEN, digest: { at: "18:30", weekday: "fri" } },
    },
  });
  expect(await decisions.takeBack(owner, { ...place, when: null })).toBe(false);
  expect(await decisions.takeBack(owner, place)).toBe(true);
}

async function expectLog({ inbox }: Storage): Promise<void> {
  const line = {
    rev: 0,
    firstRev: 0,
    openUntil: null,
    count: 2,
    lastSeq: 3,
    kind: "archived",
    ranges: [[2, 3]],
    upToSeq: null,
    group: null,
    at: THEN,
    until: null,
  };
  expect((await inbox.changesAfter(owner, -1, 10)).changes).toEqual([line]);
}

async function expectGroups({ inbox }: Storage): Promise<void> {
  const eve = { ...owner, userId: "eve" };
  const { groups } = await inbox.groups(eve, { status: "unread", limit: 10 });
  const newest = { id: GROUPED, seq: 1, group: "post:7", replaceKey: "post:7" };
  expect(groups).toMatchObject([{ group: "post:7", total: 1, unread: 1, actors: ["bob"], newest }]);
  await inbox.markAllRead(eve, THEN);
  expect((await inbox.groups(eve, { status: "unread", limit: 10 })).groups).toEqual([]);
}

async function expectTopics({ topics, activity }: Storage, migrations: number): Promise<void> {
  const subscription = { topic: "post:7", userId: "ann", deep: true, channels: ["inbox"], createdAt: THEN };
  const found = await topics.subscriptions(owner, { prefix: null, after: null, limit: 10 });
  expect(found).toEqual(migrations >= 28 ? [subscription] : []);
  expect(await activity.topicsOf("acme", GROUPED)).toEqual(migrations >= 31 ? ["post:7"] : []);
}

async function expectRetryRuns({ retryRuns }: Storage, migrations: number): Promise<void> {
  const known =
    migrations >= 43 ? [{ id: RETRY_RUN, filter: { channel: "email" }, state: "running", matched: 3, looked: 2, retried: 1 }] : [];
  expect(await retryRuns.list("acme", 10)).toMatchObject(known);
  const taken = await retryRuns.take(THEN, 1_000);
  expect(taken === null ? null : [taken.tenant, taken.after, taken.fence]).toEqual(known.length > 0 ? ["acme", null, 5] : null);
}

async function expectAlarms({ alarms }: Storage, migrations: number): Promise<void> {
  const known = migrations >= 45 ? [{ id: ALARM, kind: "lag", channel: "email", value: 400_000, line: 300_000, raisedAt: THEN }] : [];
  expect(await alarms.raised("acme")).toMatchObject(known);
  expect((await alarms.takeUntold(THEN, { leaseMs: 1_000, maxTimes: 10 }))?.id).toBe(known[0]?.id);
}

async function expectHolds({ holds }: Storage, migrations: number): Promise<void> {
  const resting = { channel: "webhook", recipient: "https://resting.example" };
  expect(await holds.circuitsOf([resting])).toHaveLength(migrations >= 42 ? 1 : 0);
  await holds.openCircuit({ ...resting, failures: 6, openedAt: THEN, openUntil: THEN });
  expect(await holds.circuitsOf([resting])).toMatchObject([{ ...resting, failures: 6 }]);
  const paused = { tenant: "acme", channel: "webhook", recipient: null, actor: "ann", detail: "down", pausedAt: THEN, resumedAt: null };
  expect(await holds.pauses()).toEqual(migrations >= 44 ? [paused] : []);
  expect(await holds.release(paused, 10, THEN)).toBe(0);
}

async function expectDevices({ devices }: Storage, migrations: number): Promise<void> {
  const keys = { p256dh: "key", auth: "secret" };
  const device = { id: DEVICE, platform: "web", token: "https://push.example/1", keys, app: "app", name: "Laptop" };
  const found = await devices.of("acme", ["ann", "bob"]);
  expect(found).toEqual(migrations >= 40 ? [{ ...device, userId: "ann", createdAt: THEN, seenAt: THEN }] : []);
  const added = { ...device, platform: "fcm", id: LATER_RECORD, token: "token", keys: null } as const;
  await devices.register(owner, added, { at: THEN, replaces: DEVICE, most: 20 });
  expect(await devices.of("acme", ["ann"])).toMatchObject([{ id: migrations >= 40 ? DEVICE : LATER_RECORD, token: "token", keys: null }]);
}

async function expectSuppressions({ suppressions }: Storage, migrations: number): Promise<void> {
  const ann = { channel: "email", address: "ann@example.com" };
  const known = migrations >= 41 ? [{ ...ann, reason: "complaint", actor: "ses", detail: "abuse", createdAt: THEN }] : [];
  expect(await suppressions.of("acme", [ann])).toEqual(known);
  await suppressions.change([{ ...ann, kind: "arrived", tenant: "acme", notificationId: EVENT }], THEN);
  expect(await suppressions.of("acme", [ann])).toEqual(known);
}

async function expectCategories({ inbox }: Storage): Promise<void> {
  const fay = { ...owner, userId: "fay" };
  const filter = { categories: { names: ["social"], types: [] }, wasSnoozed: true } as const;
  expect((await inbox.list(fay, { status: "unread", filter, limit: 10 })).items).toMatchObject([{ id: OF_CATEGORY, category: "social" }]);
}

async function expectExpiry({ inbox }: Storage): Promise<void> {
  const fay = { ...owner, userId: "fay" };
  expect(await inbox.counts(fay)).toMatchObject({ total: 1, dueAt: THEN });
  const applied = await inbox.applyDue(fay, THEN);
  expect(applied).toMatchObject({ expired: { items: [{ id: EXPIRING }] }, woken: { items: [] }, counts: { total: 1, unread: 1, rev: 1 } });
  expect(applied?.counts.dueAt).toBeUndefined();
}

async function expectBroadcasts({ broadcasts }: Storage, migrations: number): Promise<void> {
  const missedBy = async (userId: string) => {
    const missed = await broadcasts.missed({ ...owner, userId }, THEN, { limit: 10, joinedAt: null });
    return missed?.broadcasts.map(({ number }) => number);
  };
  expect(await missedBy("ann")).toEqual([2]);
  expect(await missedBy("gus")).toEqual([]);
  expect(await missedBy("hal")).toEqual(migrations >= 36 ? [] : undefined);
}

async function expectChanges({ inbox }: Storage): Promise<void> {
  const at = new Date(THEN.getTime() + 1_000);
  expect(await inbox.mark(owner, [{ seq: 3 }], { mark: "archived", at })).toMatchObject({ counts: { total: 2, unread: 0, unseen: 0 } });
  const key = { key: "k", bodyHash: "hash" };
  await inbox.mark(owner, [{ seq: 3 }], { mark: "unarchived", at, key });
  expect(await inbox.changeWithKey(owner, "k")).toEqual({ bodyHash: "hash", count: 1 });
  expect((await inbox.markAllSeen(owner, at)).count).toBe(1);
  expect((await inbox.markAllRead(owner, at)).count).toBe(1);
  expect((await removeRead(inbox, owner, at)).count).toBe(3);
  expect(await inbox.counts(owner)).toMatchObject({ total: 0, unread: 0, lastSeq: 3 });
}
