import type { FanOutPart, OpenAudience, TopicSource } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { deliveriesOf, newSend } from "../delivery/send-entries.ts";
import { at, sortBytewise, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { LOOKALIKES } from "../service/lookalikes.ts";
import { eraseAll, exportAll } from "../steps.ts";
import { membersTests } from "./members-tests.ts";

const ALL = { after: null, limit: 100 };

/** The promises of keeping topics and subscriptions. */
export function topicsTests(harness: StorageHarness): void {
  membersTests(harness);
  describe("topics", () => {
    const fixture = useFixture(harness);
    const topics = () => fixture.storage.topics;
    const name = (topic: string) => ({ tenant: fixture.tenant, topic });
    const terms = { deep: undefined, channels: undefined, at: at(1) };
    const usersOf = async (topic: string) => (await topics().subscribers(name(topic), ALL)).map(({ userId }) => userId);

    test("subscriptions come back as they were made, sorted, and those of other topics stay apart", async () => {
      expect(await topics().subscribe(name("post:7"), ["ann", "bob"], { deep: true, channels: ["inbox", "email"], at: at(1) })).toBe(2);
      expect(await topics().subscribe(name("post:7"), ["Zoe", "bob"], { ...terms, at: at(2) })).toBe(1);
      expect(await topics().subscribe(name("post:8"), ["ann"], terms)).toBe(1);
      const plain = { topic: "post:7", userId: "Zoe", deep: false, channels: null, createdAt: at(2) };
      const full = { ...plain, deep: true, channels: ["inbox", "email"], createdAt: at(1) };
      expect(await topics().subscribers(name("post:7"), ALL)).toEqual([plain, { ...full, userId: "ann" }, { ...full, userId: "bob" }]);
      expect(await topics().subscribers(name("post:7"), { after: "Zoe", limit: 1 })).toEqual([{ ...full, userId: "ann" }]);
      expect((await topics().subscriptions(fixture.owner("ann"), { ...ALL, prefix: null })).map(({ topic }) => topic)).toEqual([
        "post:7",
        "post:8",
      ]);
    });

    test("terms that are given change, others stay, and the time of the first subscription too", async () => {
      await topics().subscribe(name("news"), ["ann"], { deep: true, channels: ["email"], at: at(1) });
      const [first] = await topics().subscribers(name("news"), ALL);
      expect(await topics().subscribe(name("news"), ["ann"], { deep: undefined, channels: null, at: at(5) })).toBe(0);
      expect(await topics().subscribers(name("news"), ALL)).toEqual([{ ...first, channels: null }]);
      await topics().subscribe(name("news"), ["ann", "bob"], { deep: false, channels: undefined, at: at(6) });
      expect(await topics().subscribers(name("news"), ALL)).toEqual([
        { ...first, deep: false, channels: null },
        { topic: "news", userId: "bob", deep: false, channels: null, createdAt: at(6) },
      ]);
    });

    test("ending subscriptions answers how many there were, and may be repeated", async () => {
      await topics().subscribe(name("news"), ["ann", "bob", "cat"], terms);
      expect(await topics().unsubscribe(name("news"), ["bob", "cat", "dan"])).toBe(2);
      expect(await topics().unsubscribe(name("news"), ["bob", "cat", "dan"])).toBe(0);
      expect(await topics().unsubscribe(name("new"), ["ann"])).toBe(0);
      expect(await usersOf("news")).toEqual(["ann"]);
    });

    test("topics and subscriptions are listed by path, not by the beginning of a name", async () => {
      const names = ["post:7", "post:7-b", "post:7.c", "post:7/replies", "post:7/replies/9", "post:70", "post:8"];
      for (const topic of names) {
        await topics().subscribe(name(topic), ["ann", "bob"], terms);
      }
      const listed = (prefix: string | null, after: string | null = null, limit = 100) =>
        topics().topics(fixture.tenant, { prefix, after, limit });
      expect(await listed(null)).toEqual(names);
      expect(await listed(null, "post:7.c", 2)).toEqual(["post:7/replies", "post:7/replies/9"]);
      expect(await listed("post:7")).toEqual(["post:7", "post:7/replies", "post:7/replies/9"]);
      expect(await listed("post:7", null, 1)).toEqual(["post:7"]);
      expect(await listed("post:7", "post:7", 1)).toEqual(["post:7/replies"]);
      expect(await listed("post:7", "post:7/replies/9")).toEqual([]);
      expect(await listed("post:9")).toEqual([]);
      const own = await topics().subscriptions(fixture.owner("ann"), { ...ALL, prefix: "post:7" });
      expect(own.map(({ topic }) => topic)).toEqual(["post:7", "post:7/replies", "post:7/replies/9"]);
    });

    test("names of any characters stay apart, in the order of their bytes", async () => {
      const sorted = sortBytewise(LOOKALIKES);
      for (const one of LOOKALIKES) {
        await topics().subscribe(name(one), sorted, terms);
      }
      expect(await topics().topics(fixture.tenant, { ...ALL, prefix: null })).toEqual(sorted);
      for (const one of LOOKALIKES) {
        expect(await usersOf(one)).toEqual(sorted);
        expect(await topics().unsubscribe(name(one), [one])).toBe(1);
        expect(await usersOf(one)).toEqual(sorted.filter((userId) => userId !== one));
      }
    });

    test("the longest names fit", async () => {
      const [topic, user] = ["\u{10ffff}".repeat(100), "\u{10fffe}".repeat(255)];
      const to = { tenant: `${fixture.tenant}${"\u{10fffd}".repeat(200)}`, topic };
      expect(await topics().subscribe(to, [user], terms)).toBe(1);
      expect(await topics().subscribers(to, ALL)).toMatchObject([{ userId: user, topic }]);
    });

    test("tenants see their own only", async () => {
      await topics().subscribe(name("news"), ["ann"], terms);
      const other = { tenant: `${fixture.tenant} other`, topic: "news" };
      expect(await topics().subscribers(other, ALL)).toEqual([]);
      expect(await topics().topics(other.tenant, { ...ALL, prefix: null })).toEqual([]);
      expect(await topics().unsubscribe(other, ["ann"])).toBe(0);
      expect(await usersOf("news")).toEqual(["ann"]);
    });

    test("those who subscribe and leave at the same time do not wait for each other, and nothing is there twice", async () => {
      const users = sortBytewise(Array.from({ length: 200 }, (_, index) => `user ${index}`));
      const added = await Promise.all(Array.from({ length: 4 }, () => topics().subscribe(name("busy"), users, { ...terms, deep: true })));
      expect(added.reduce((sum, count) => sum + count, 0)).toBe(200);
      expect(await topics().subscribers(name("busy"), { after: null, limit: 1_000 })).toHaveLength(200);
      const backwards = users.toReversed();
      const removed = await Promise.all([users, backwards, users].map((some) => topics().unsubscribe(name("busy"), some)));
      expect(removed.reduce((sum, count) => sum + count, 0)).toBe(200);
    });

    describe("an audience of many", () => {
      const users = sortBytewise(Array.from({ length: 10 }, (_, index) => `user ${index}`));
      const source: TopicSource = {
        parts: [{ topic: "news", isDeepOnly: false, mutedBy: ["news"] }],
        ...{ users: ["user 3", "zoe"], except: ["user 4"], required: [], channels: ["inbox"], chunk: 3 },
      };

      /** Writes a notification whose users are still to be found. */
      async function open() {
        await topics().subscribe(name("news"), users, terms);
        const { notification } = fixture.entry([]);
        const audience = { topics: ["news"], source: JSON.stringify(source), place: 0, hasDeliveries: false };
        await fixture.inbox.createMany([{ notification, recipients: [], audience }]);
        return notification;
      }

      /** The audience of the test's tenant: others have none that is open. */
      const current = async () => (await topics().openAudience(at(1))) as OpenAudience;

      async function step(audience: OpenAudience): Promise<void> {
        const { members, last } = await topics().findMembers(fixture.tenant, audience.source, { after: audience.after, limit: 3 });
        const part = { users: members.map(({ userId }) => userId), topic: null, channels: null, place: audience.place };
        await topics().moveOn(audience, { parts: members.length === 0 ? [] : [part], last, place: audience.place + members.length });
      }

      async function drain(into: string[]): Promise<void> {
        for (let chunk = await fixture.inbox.fanOutNext(at(2)); chunk !== null; chunk = await fixture.inbox.fanOutNext(at(2))) {
          into.push(...chunk.items.map(({ userId }) => userId));
        }
      }

      test("is found step by step; of those who take one step at once, or after a look of before, one does it", async () => {
        const { id } = await open();
        const placed: string[] = [];
        let steps = 0;
        for (let audience = await current(); audience !== null && steps < 20; audience = await current()) {
          expect(audience).toMatchObject({ notification: { id }, hasDeliveries: false, isOver: false, source });
          await Promise.all([step(audience), step(audience)]);
          await step(audience);
          // Nothing more is found before the part is written.
          expect(await topics().openAudience(at(1))).toBeNull();
          await drain(placed);
          steps += 1;
        }
        expect(steps).toBe(4);
        expect(placed).toEqual(sortBytewise([...users.filter((userId) => userId !== "user 4"), "zoe"]));
        expect(await fixture.storage.activity.topicsOf(fixture.tenant, id)).toEqual(["news"]);
      });

      test("who joins or leaves between the steps gets it once, or not at all", async () => {
        await open();
        const placed: string[] = [];
        await step(await current());
        await topics().unsubscribe(name("news"), ["user 0", "user 9"]);
        await topics().subscribe(name("news"), ["aaa", "user 5b"], terms);
        await drain(placed);
        for (let audience = await current(); audience !== null; audience = await current()) {
          await step(audience);
          await drain(placed);
        }
        const rest = ["user 5", "user 5b", "user 6", "user 7", "user 8", "zoe"];
        expect(placed).toEqual(["user 0", "user 1", "user 2", "user 3", ...rest]);
      });

      test("a step that was looked up before somebody was erased is taken again without them", async () => {
        await open();
        const audience = await current();
        for (const userId of ["user 1", "zoe"]) {
          await eraseAll(() => topics().erase(fixture.owner(userId), 3));
        }
        await step(audience);
        const placed: string[] = [];
        for (let next = await current(); next !== null; next = await current()) {
          expect(JSON.stringify(next.source)).not.toContain("zoe");
          await step(next);
          await drain(placed);
        }
        expect(placed).toEqual(users.filter((userId) => userId !== "user 1" && userId !== "user 4"));
      });

      test("with deliveries is not ended before everyone is found", async () => {
        await topics().subscribe(name("news"), users, terms);
        const deliveries = deliveriesOf(fixture);
        const audience = { topics: ["news"], source: JSON.stringify(source), place: 0, hasDeliveries: true };
        const fanOut = { plan: "{}", users: [], addresses: new Map(), chainsEach: 1 };
        const plain = newSend(fixture, { channel: "email", to: [] });
        const send = { ...plain, fanOut, audience };
        const { id } = send.notification;
        await deliveries.createSends([send], at(0));
        const isEnding = async () => (await deliveries.endingFanOuts(at(1))).some((one) => one.id === id);
        // Other tests may have left parts.
        const take = async (when: Date): Promise<FanOutPart | null> => {
          const part = await deliveries.takePart(when);
          return part === null || part.notification.id === id ? part : take(when);
        };
        expect([await isEnding(), await take(at(1)), await take(at(1_000_000_000))]).toEqual([false, null, null]);

        const part = { users: ["user 0"], topic: "news", channels: null, place: 0 };
        await topics().moveOn(await current(), { parts: [part], last: "user 0", place: 1 });
        expect([await isEnding(), await topics().openAudience(at(1))]).toEqual([false, null]);
        const taken = (await take(at(1))) as FanOutPart;
        expect(taken).toMatchObject({ recipients: ["user 0"], topic: "news" });
        expect(await deliveries.writePart(taken, plain, at(2))).toEqual([]);
        expect(await isEnding()).toBe(false);
        await topics().moveOn(await current(), { parts: [], last: null, place: 1 });
        expect([await topics().openAudience(at(1)), await isEnding()]).toEqual([null, true]);
        expect(await deliveries.endFanOut({ tenant: fixture.tenant, id }, { as: "written" }, at(3))).not.toBeNull();
      });

      test("is over once its notification has expired", async () => {
        await topics().subscribe(name("news"), users, terms);
        const { notification } = fixture.entry([], { expiresAt: at(10) });
        const audience = { topics: ["news"], source: JSON.stringify(source), place: 0, hasDeliveries: false };
        await fixture.inbox.createMany([{ notification, recipients: [], audience }]);
        expect(await topics().openAudience(at(9))).toMatchObject({ isOver: false });
        const open = (await topics().openAudience(at(10))) as OpenAudience;
        expect(open).toMatchObject({ isOver: true });
        await topics().moveOn(open, { parts: [], last: null, place: 0 });
        expect(await topics().openAudience(at(10))).toBeNull();
      });
    });

    test("a user's subscriptions are exported and erased in steps, and nobody else's", async () => {
      const names = Array.from({ length: 7 }, (_, index) => `topic ${index}`);
      for (const topic of names) {
        await topics().subscribe(name(topic), ["ann", "bob"], terms);
      }
      const ann = fixture.owner("ann");
      const pages = await exportAll((after) => topics().export(ann, { after, limit: 3 }));
      expect(pages.flat()).toEqual(names.map((topic) => ({ topic, deep: false, channels: null, createdAt: at(1) })));
      expect(await eraseAll(() => topics().erase(ann, 3))).toBe(7);
      expect(await topics().subscriptions(ann, { ...ALL, prefix: null })).toEqual([]);
      expect(await usersOf("topic 6")).toEqual(["bob"]);
    });
  });
}
