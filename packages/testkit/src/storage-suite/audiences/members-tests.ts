import type { Notification } from "@belfry/core";
import type { OpenAudience, TopicSource, WrittenMembers } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, range, seqsOf, sortBytewise, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { inTurn } from "../in-turn.ts";
import { expectTrueCounts } from "../inbox/recount.ts";
import { eraseAll } from "../steps.ts";

/** The promises of writing items straight from subscriptions. */
export function membersTests(harness: StorageHarness): void {
  describe("writing the members of an audience", () => {
    const fixture = useFixture(harness);
    const topics = () => fixture.storage.topics;
    const part = (topic: string): TopicSource["parts"][number] => ({ topic, isDeepOnly: false, mutedBy: [topic] });
    const source: TopicSource = {
      parts: [part("news")],
      ...{ users: [], except: [], required: [], channels: ["inbox"], chunk: 3 },
    };
    const users = sortBytewise(range(0, 9).map((number) => `user ${number}`));

    async function subscribe(topic: string, userIds: readonly string[], terms: { deep?: boolean; channels?: readonly string[] } = {}) {
      const { deep, channels } = terms;
      await topics().subscribe({ tenant: fixture.tenant, topic }, sortBytewise(userIds), { deep, channels, at: at(1) });
    }

    async function mute(topic: string, userId: string): Promise<void> {
      const choice = { scope: "topic", name: topic, channel: null, value: "off", when: null, isLocked: false } as const;
      await fixture.storage.decisions.setChoice(fixture.owner(userId), choice, 10);
    }

    /** Writes a notification whose users are still to be found. */
    async function open(changes: Partial<TopicSource> = {}, fields: Partial<Notification> = {}): Promise<Notification> {
      const { notification } = fixture.entry([], fields);
      const audience = { topics: ["news"], source: JSON.stringify({ ...source, ...changes }), place: 0, hasDeliveries: false };
      await fixture.inbox.createMany([{ notification, recipients: [], audience }]);
      return notification;
    }

    /** The audience of the test's tenant: others have none that is open. */
    const current = async () => (await topics().openAudience(at(1))) as OpenAudience;

    /** Writes all that is left, and returns how many steps that took. */
    async function writeAll(): Promise<number> {
      let steps = 0;
      for (let audience = await current(); audience !== null; audience = await current()) {
        expect(await topics().writeMembers(audience, { at: at(2) })).toMatchObject({ as: "written" });
        steps += 1;
      }
      return steps;
    }

    /** The users whose items of a notification are there. */
    const reached = async ({ id }: Notification) => (await fixture.inbox.ownersOf(fixture.tenant, id, { after: "", limit: 100 })).users;

    test("each user has one item, numbered and counted, step by step", async () => {
      await subscribe("news", users);
      await fixture.fill("user 4", 2);
      const notification = await open();
      const { id } = notification;
      let audience = await current();
      expect(await topics().writeMembers(audience, { at: at(7) })).toMatchObject({ as: "written" });
      expect(await reached(notification)).toEqual(users.slice(0, 3));
      audience = await current();
      expect(audience).toMatchObject({ notification: { id }, after: "user 2", place: 3, source: { ...source } });
      expect(await writeAll()).toBe(3);
      for (const userId of users) {
        const items = await expectTrueCounts(fixture, fixture.owner(userId));
        expect(seqsOf(items)).toEqual(userId === "user 4" ? [3, 2, 1] : [1]);
        expect(items[0]).toMatchObject({ id, createdAt: userId < "user 3" ? at(7) : at(2) });
      }
      expect(await current()).toBeNull();
    });

    test("of those who take one step at once, or after a look of before, one writes it", async () => {
      await subscribe("news", users);
      const notification = await open();
      const written: WrittenMembers["as"][] = [];
      for (let audience = await current(); audience !== null; audience = await current()) {
        const step = async (of: OpenAudience) => void written.push((await topics().writeMembers(of, { at: at(2) })).as);
        await Promise.all([step(audience), step(audience), step(audience)]);
        await step(audience);
        expect(written.at(-1)).toBe("moved");
      }
      expect(written.filter((as) => as === "written")).toHaveLength(4);
      expect(written.filter((as) => as === "refused")).toEqual([]);
      expect(await reached(notification)).toEqual(users);
      for (const userId of users) {
        expect(seqsOf(await expectTrueCounts(fixture, fixture.owner(userId)))).toEqual([1]);
      }
    });

    test("who is excepted, muted it or wants it over other channels is left out, and who is named gets it all the same", async () => {
      await subscribe("news", users);
      await subscribe("news", ["user 5"], { channels: ["email"] });
      await subscribe("news", ["user 6"], { channels: ["email", "inbox"] });
      await subscribe("more", ["user 5", "user 7", "other"]);
      for (const userId of ["user 1", "user 2", "user 7"]) {
        await mute("news", userId);
      }
      const alone = await open({ except: ["user 3"] });
      await writeAll();
      expect(await reached(alone)).toEqual(["user 0", "user 4", "user 6", "user 8", "user 9"]);
      const several = await open({ parts: [part("more"), part("news")], users: ["user 2", "zoe"], except: ["user 3", "other"] });
      await writeAll();
      expect(await reached(several)).toEqual(["user 0", "user 2", "user 4", "user 5", "user 6", "user 7", "user 8", "user 9", "zoe"]);
      const required = await open({ required: ["inbox"] });
      await writeAll();
      expect(await reached(required)).toEqual(users);
    });

    test("of a topic above, deep subscriptions count, and a mute of either topic ends them", async () => {
      await subscribe("news", users);
      await subscribe("news", ["user 1", "user 2", "user 3"], { deep: true });
      await subscribe("news/today", ["user 1", "user 8"]);
      await mute("news/today", "user 2");
      const parts = [part("news/today"), { topic: "news", isDeepOnly: true, mutedBy: ["news", "news/today"] }];
      const notification = await open({ parts });
      await writeAll();
      expect(await reached(notification)).toEqual(["user 1", "user 3", "user 8"]);
    });

    test("a step looks at so many users at the most, whoever of them gets an item", async () => {
      await subscribe("news", users);
      const notification = await open({ parts: [{ ...part("news"), isDeepOnly: true }] });
      expect(await writeAll()).toBe(4);
      expect(await reached(notification)).toEqual([]);
    });

    test("names of any characters come in the order of their bytes", async () => {
      const names = sortBytewise(["\u{ffff}", "\u{10000}", "ä", "a", "Z", 'a "b"', "a\\b", "{a,b}", "😀"]);
      await subscribe("news", names);
      const notification = await open({ chunk: 2, users: ["é"], except: ['a "b"'] });
      expect(await writeAll()).toBe(6);
      expect(sortBytewise((await reached(notification)) ?? [])).toEqual(sortBytewise([...names.filter((name) => name !== 'a "b"'), "é"]));
    });

    test("items end with their notification, and are in its category", async () => {
      await subscribe("news", ["ann"]);
      const { id, expiresAt } = await open({}, { expiresAt: at(100), category: "social" });
      await writeAll();
      expect(await fixture.inbox.get(fixture.owner("ann"), id)).toMatchObject({ category: "social", expiresAt });
      expect(await fixture.inbox.counts(fixture.owner("ann"))).toMatchObject({ dueAt: expiresAt });
      expect(await fixture.inbox.unread(fixture.owner("ann"), at(101))).toBeNull();
    });

    test("where the items of wanted users went is answered, or that it is not", async () => {
      await subscribe("news", users);
      await open({ chunk: 20 });
      const isWanted = ({ tenant, userId }: { tenant: string; userId: string }) => tenant === fixture.tenant && userId === "user 7";
      const step = await topics().writeMembers(await current(), { at: at(2), isWanted });
      const items = step.as === "written" ? step.items : [];
      const isUntold = step.as === "written" && step.isUntold === true;
      expect(isUntold ? ["user 7"] : items.map(({ userId }) => userId)).toEqual(["user 7"]);
    });

    test("a step that was looked up before somebody was erased writes nothing, and the next one leaves them out", async () => {
      await subscribe("news", users);
      const notification = await open({ users: ["zoe"] });
      const audience = await current();
      for (const userId of ["user 1", "zoe"]) {
        await eraseAll(() => topics().erase(fixture.owner(userId), 3));
      }
      expect(await topics().writeMembers(audience, { at: at(2) })).toEqual({ as: "moved" });
      await writeAll();
      expect(await reached(notification)).toEqual(users.filter((userId) => userId !== "user 1"));
    });

    test("tenants take turns, each with its oldest audience", async () => {
      const turns: string[] = [];
      for (const name of ["b", "a", "b"]) {
        const { notification } = fixture.entry([], { tenant: `${fixture.tenant} ${name}` });
        const audience = { topics: ["news"], source: JSON.stringify(source), place: 0, hasDeliveries: false };
        await topics().subscribe({ tenant: notification.tenant, topic: "news" }, users.slice(0, 2), {
          deep: false,
          channels: null,
          at: at(1),
        });
        await fixture.inbox.createMany([{ notification, recipients: [], audience }]);
      }
      for (let audience = await topics().openAudience(at(1)); audience !== null; ) {
        const { tenant } = audience.notification;
        turns.push(tenant.slice(fixture.tenant.length + 1));
        await topics().writeMembers(audience, { at: at(2) });
        audience = await topics().openAudience(at(1), tenant);
      }
      expect(turns).toEqual(["a", "b", "b"]);
    });

    // A storage with a single writer cannot write beside an open transaction.
    test.skipIf(harness.singleWriter)(
      "with an inbox that a transaction of the host holds it is refused, and nothing of it is written",
      async () => {
        await subscribe("news", users);
        const notification = await open();
        const audience = await current();
        await fixture.subject.transaction((tx) =>
          inTurn(
            () => fixture.inbox.createWithin(tx, fixture.entry("user 1"), () => undefined),
            async () => {
              expect(await topics().writeMembers(audience, { at: at(2) })).toEqual({ as: "refused" });
              expect(await reached(notification)).toEqual([]);
              expect(await current()).toEqual(audience);
            },
          ),
        );
        await writeAll();
        expect(await reached(notification)).toEqual(users);
        expect(seqsOf(await expectTrueCounts(fixture, fixture.owner("user 1")))).toEqual([2, 1]);
      },
    );
  });
}
