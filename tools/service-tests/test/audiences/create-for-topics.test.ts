import { type Channel, defineTypes, NotificationService } from "@belfry/core";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import type { ServiceDatabase } from "../service-database.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const types = defineTypes({
  comment: { channels: ["inbox", "email"] },
  note: { channels: ["inbox"] },
  optional: { channels: { inbox: { optional: true } } },
  alarm: { channels: ["inbox", "email"], required: ["email"] },
});

/** @param before what the directory waits for: nothing is decided again until it has answered */
function setUp(database: ServiceDatabase, before: Promise<unknown> = Promise.resolve()) {
  const storage = database.storage();
  const mails: string[] = [];
  const email: Channel = {
    name: "email",
    retryDelaysMs: [],
    timeoutMs: 5_000,
    invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
    async deliver({ recipient, title }) {
      mails.push(`${title} to ${recipient}`);
      return { status: "sent", provider: "test" };
    },
  };
  const directory = async (ids: readonly string[]) => {
    await before;
    return new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));
  };
  const options = { storage, channels: [email], types, directory, logger: silent };
  const service = stopsAfterTest(new NotificationService({ ...options, delivery: { worker: true } }));
  const titlesOf = async (userId: string) => (await service.inbox(userId).list()).items.map(({ title }) => title);
  return { service, storage, mails, titlesOf };
}

onEveryStorage((database) => {
  describe("for inboxes alone", () => {
    test("subscribers get it once, whatever else brings it; except wins, and who is named gets it whatever they muted", async () => {
      const { service, titlesOf } = setUp(database);
      const { topics } = service;
      await topics.subscribe("a", ["ann", "bob", "cat", "dan"]);
      await topics.subscribe("b", ["bob", "dan", "eve", "fay"]);
      await topics.mute("a", "cat");
      await topics.mute("a", "bob");
      await topics.mute("b", "fay");
      const created = vi.fn();
      service.on("notification.created", created);
      const { items } = await service.create({
        type: "note",
        topic: ["b", "a", "b"],
        to: ["cat", "zoe", "zoe"],
        except: ["dan"],
        title: "x",
      });
      expect(items.map(({ userId }) => userId)).toEqual(["ann", "bob", "cat", "eve", "zoe"]);
      expect(created.mock.calls).toMatchObject([[{ recipients: 5 }]]);
      expect(await titlesOf("fay")).toEqual([]);
      expect(await titlesOf("dan")).toEqual([]);
      expect(await titlesOf("bob")).toEqual(["x"]);
    });

    test("a topic includes those below it for deep subscriptions only", async () => {
      const { service } = setUp(database);
      const { topics } = service;
      await topics.subscribe("post:7", "deep", { deep: true });
      await topics.subscribe("post:7", "plain");
      await topics.subscribe("post:7/replies", "reader");
      await topics.subscribe("post:7/replies/9", "other");
      const usersOf = async (topic: string) => (await service.create({ type: "note", topic })).items.map(({ userId }) => userId);
      expect(await usersOf("post:7")).toEqual(["deep", "plain"]);
      expect(await usersOf("post:7/replies")).toEqual(["deep", "reader"]);
      expect(await usersOf("post:7/replies/9")).toEqual(["deep", "other"]);
      expect(await usersOf("post:70")).toEqual([]);
      await topics.mute("post:7/replies", "deep");
      expect(await usersOf("post:7/replies")).toEqual(["reader"]);
      expect(await usersOf("post:7")).toEqual(["deep", "plain"]);
    });

    test("a subscription that is not meant for the inbox brings nothing there, and who switched it off gets nothing", async () => {
      const { service } = setUp(database);
      await service.topics.subscribe("a", ["ann", "bob"]);
      await service.topics.subscribe("a", "cat", { channels: ["email"] });
      await service.preferences.set("bob", { topic: "a", channel: "inbox" }, "off");
      const usersOf = async (type: "note" | "optional") => (await service.create({ type, topic: "a" })).items.map(({ userId }) => userId);
      expect(await usersOf("note")).toEqual(["ann", "bob"]);
      expect(await usersOf("optional")).toEqual(["ann"]);
    });

    test("names of any characters are found in the order of their bytes", async () => {
      const { service } = setUp(database);
      const users = ["\uffff", "\u{10000}", "ä", "a", "Z"];
      await service.topics.subscribe("thé😀/Ω", users);
      const { items } = await service.create({ type: "note", topic: "thé😀/Ω", to: "é" });
      expect(items.map(({ userId }) => userId)).toEqual(["Z", "a", "ä", "é", "\uffff", "\u{10000}"]);
    });

    test("tenants do not reach each other, and an audience of nobody is nobody", async () => {
      const { service } = setUp(database);
      await service.tenant("acme").topics.subscribe("a", "ann");
      const { items, notification } = await service.create({ type: "note", topic: "a" });
      expect(items).toEqual([]);
      expect(await service.operator.timeline(notification.id)).toMatchObject({ topics: ["a"] });
    });
  });

  describe("with deliveries", () => {
    test("the mail of a topic goes to its subscribers, as choices about the topic and channels of subscriptions say", async () => {
      const { service, mails, titlesOf } = setUp(database);
      const { topics, preferences } = service;
      await topics.subscribe("a", ["ann", "bob", "cat"]);
      await topics.subscribe("a", "dan", { channels: ["inbox"] });
      await topics.subscribe("a", "eve", { channels: ["email"] });
      await topics.subscribe("b", ["dan", "cat"]);
      await preferences.set("bob", { topic: "a", channel: "email" }, "off");
      await topics.mute("a", "cat");
      const { notification } = await service.create({
        type: "comment",
        topic: ["a", "b"],
        to: { email: "zoe@example.com" },
        title: "x",
        message: "m",
      });
      await service.runDue();
      expect(mails.toSorted()).toEqual(["x to ann", "x to cat", "x to dan", "x to eve", "x to zoe@example.com"]);
      expect(await titlesOf("eve")).toEqual([]);
      expect(await titlesOf("bob")).toEqual(["x"]);
      const { deliveries } = await service.deliveries(notification.id);
      const bobs = deliveries.find(({ recipient, channel }) => recipient === "bob" && channel === "email");
      expect(bobs).toMatchObject({ status: "skipped", reason: "preference", reasonSource: "user topic email", topic: "a" });
      expect(deliveries.find(({ recipient }) => recipient === "cat")).toMatchObject({ topic: "b" });
      expect((await service.timeline(notification.id)).topics).toEqual(["a", "b"]);
    });

    test("what is required reaches who muted the topic, over that channel alone", async () => {
      const { service, mails, titlesOf } = setUp(database);
      await service.topics.subscribe("a", ["ann", "bob"]);
      await service.topics.mute("a", "bob");
      await service.create({ type: "alarm", topic: "a", title: "x", message: "m" });
      await service.runDue();
      expect(mails.toSorted()).toEqual(["x to ann", "x to bob"]);
      expect(await titlesOf("bob")).toEqual([]);
      expect(await titlesOf("ann")).toEqual(["x"]);
    });

    test("a choice about a topic that is made later counts when it is delivered", async () => {
      const muted = Promise.withResolvers<void>();
      const { service, mails } = setUp(database, muted.promise);
      await service.topics.subscribe("a", ["ann", "bob"]);
      const { notification } = await service.create({ type: "comment", topic: "a", to: "cat", title: "x", message: "m" });
      await service.topics.mute("a", "bob");
      await service.topics.mute("a", "cat");
      muted.resolve();
      await service.runDue();
      expect(mails.toSorted()).toEqual(["x to ann", "x to cat"]);
      const { deliveries } = await service.deliveries(notification.id);
      expect(deliveries.find(({ recipient, channel }) => recipient === "bob" && channel === "email")).toMatchObject({
        status: "skipped",
        reason: "preference",
      });
    });

    test("the same call with the same key answers what the first one did, and finds nobody anew", async () => {
      const { service, titlesOf } = setUp(database);
      await service.topics.subscribe("a", ["ann"]);
      const input = { type: "note", to: ["zoe", "bob"], except: "eve", title: "x", idempotencyKey: "once" } as const;
      const first = await service.create({ ...input, topic: ["b", "a"] });
      await service.topics.subscribe("a", ["cat"]);
      const second = await service.create({ ...input, to: ["bob", "zoe", "bob"], topic: ["a", "b", "a"] });
      expect(second.notification.id).toBe(first.notification.id);
      expect(await titlesOf("cat")).toEqual([]);
      expect(await titlesOf("ann")).toEqual(["x"]);
      for (const other of [{ topic: "a" }, { topic: ["a", "b"], to: "bob" }, { topic: ["a", "b"], except: "dan" }]) {
        await expect(service.create({ ...input, ...other })).rejects.toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
      }
    });
  });

  test("a key that expires between the look and the write brings it to the subscribers all the same", async () => {
    const { service, storage, titlesOf } = setUp(database);
    await service.topics.subscribe("a", ["ann", "bob"]);
    await service.topics.subscribe("a", "cat", { channels: ["email"] });
    vi.spyOn(storage.deliveries, "isKeyUsed").mockResolvedValueOnce(true);
    const input = { type: "note", topic: "a", to: "zoe", except: "bob", title: "x", idempotencyKey: "once" } as const;
    const first = await service.create(input);
    const second = await service.create(input);
    expect(second.notification.id).toBe(first.notification.id);
    await service.runDue();
    const users = ["ann", "bob", "cat", "zoe"];
    expect(await Promise.all(users.map(titlesOf))).toEqual([["x"], [], [], ["x"]]);
    expect(await service.get(first.notification.id)).toMatchObject({ status: "sent" });
  });

  describe("in a transaction of the host", () => {
    const few = ["ann", "bob"];
    const many = Array.from({ length: 1_200 }, (_, index) => `user ${index}`);

    /** Creates within a transaction: by its handle where that can be, else by what was prepared. */
    async function createWithin(
      { service, storage }: Pick<ReturnType<typeof setUp>, "service" | "storage">,
      { input, run }: { readonly input: Parameters<typeof service.create>[0]; readonly run: ServiceDatabase["transaction"] },
    ): Promise<readonly string[]> {
      const one = await service.prepare(input);
      const ids = [one.notification.id];
      await run((tx) => one.write(tx as never));
      if (!storage.hasSynchronousTransactions) {
        await run(async (tx) => void ids.push((await service.create(input, { tx } as never)).notification.id));
      }
      return ids;
    }

    test.each([
      ["for inboxes alone", "note", few],
      ["with deliveries", "comment", few],
      ["for many inboxes", "note", many],
      ["with many deliveries", "comment", many],
    ] as const)("what rolls back %s leaves nothing, and what commits reaches everyone", async (_, type, users) => {
      const { service, storage, mails } = setUp(database);
      await service.topics.subscribe("a", users.slice(0, 1_000));
      await service.topics.subscribe("a", users.slice(1_000));
      const [first = ""] = users;
      await service.preferences.set(first, { type: "comment", channel: "email" }, "daily");
      const created = vi.fn();
      service.on("notification.created", created);
      const input = { type, topic: "a", to: "named-canary", title: "title-canary", message: "m" } as const;
      const undone = await createWithin({ service, storage }, { input, run: database.rolledBack });
      await service.runDue();
      for (const id of undone) {
        await expect(service.get(id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      }
      expect(created).not.toHaveBeenCalled();
      expect(mails).toEqual([]);
      expect(await storage.topics.openAudience(new Date())).toBeNull();
      expect((await database.content()).includes("canary")).toBe(false);

      const done = await createWithin({ service, storage }, { input, run: database.transaction });
      await service.runDue();
      await service.runDue();
      const all = [...users, "named-canary"];
      const counts = await Promise.all(all.map((userId) => service.inbox(userId).counts()));
      expect(counts.filter(({ total, lastSeq }) => total === done.length && lastSeq === done.length)).toHaveLength(all.length);
      // The mail of the first user waits for a digest.
      expect(mails).toHaveLength(type === "note" ? 0 : (all.length - 1) * done.length);
    });
  });

  test("explain says what a mute of the topic does, and what required channels make of it", async () => {
    const { service } = setUp(database);
    await service.topics.subscribe("a", "ann");
    await service.topics.mute("a", "ann");
    const explained = async (type: "optional" | "alarm", topic?: string) =>
      (await service.explain("ann", type, topic === undefined ? {} : { topic })).map(({ channel, outcome }) => `${channel}: ${outcome}`);
    expect(await explained("optional", "a")).toEqual(["inbox: skip"]);
    expect(await service.explain("ann", "optional", { topic: "a" })).toMatchObject([{ reason: "preference", source: "user mute" }]);
    expect(await explained("optional", "b")).toEqual(["inbox: deliver"]);
    expect(await explained("optional")).toEqual(["inbox: deliver"]);
    expect(await explained("alarm", "a")).toContain("email: deliver");
    await service.topics.unmute("a", "ann");
    expect(await explained("optional", "a")).toEqual(["inbox: deliver"]);
  });

  describe("of many subscribers", () => {
    // More than one part of an audience has; the long form has some parts.
    const MANY = process.env.BELFRY_LONG ? 2_600 : 1_100;
    const names = Array.from({ length: MANY }, (_, index) => `user ${String(index).padStart(5, "0")}`);

    async function* stream() {
      yield* names;
    }

    test("everyone gets one item, numbered and counted, in the background", async () => {
      const { service } = setUp(database);
      await service.topics.subscribe("a", stream());
      await service.topics.subscribe("b", names.slice(0, 500));
      const created = vi.fn();
      service.on("notification.created", created);
      const { items, notification } = await service.create({
        type: "note",
        topic: ["a", "b"],
        to: ["zoe", names[7] as string],
        except: names[3] as string,
        title: "x",
      });
      expect(items).toEqual([]);
      expect(created.mock.calls).toMatchObject([[{ recipients: null }]]);
      await service.runDue();
      const storage = service.operator;
      expect((await storage.timeline(notification.id)).topics).toEqual(["a", "b"]);
      const counts = await Promise.all([...names, "zoe"].map((userId) => service.inbox(userId).counts()));
      expect(counts.filter(({ total, unread, lastSeq }) => total === 1 && unread === 1 && lastSeq === 1)).toHaveLength(MANY);
      expect(await service.inbox(names[3] as string).counts()).toMatchObject({ total: 0 });
    });

    test("who is connected hears of it, and who muted it or wants mail alone gets nothing", async () => {
      const { service } = setUp(database);
      const [first, muted, mailed, last] = [1, 1_050, 1_051, MANY - 1].map((place) => names[place] as string);
      await service.topics.subscribe("a", stream());
      await service.topics.subscribe("a", [mailed as string], { channels: ["email"] });
      await service.topics.mute("a", muted as string);
      const told: unknown[] = [];
      const followed = [first, muted, mailed, last].map((userId) =>
        service.inbox(userId as string).subscribe({ onEvent: ({ item }) => void told.push([userId, item?.title]), onState: () => {} }),
      );
      await Promise.all(followed.map(({ ready }) => ready));
      await service.create({ type: "note", topic: "a", title: "x" });
      await service.runDue();
      await vi.waitFor(() => expect(told.length).toBeGreaterThanOrEqual(2), { timeout: 20_000 });
      expect(told.toSorted()).toEqual([
        [first, "x"],
        [last, "x"],
      ]);
      const counts = await Promise.all(names.map((userId) => service.inbox(userId).counts()));
      expect(counts.filter(({ total, unread, lastSeq }) => total === 1 && unread === 1 && lastSeq === 1)).toHaveLength(MANY - 2);
    });

    test("deliveries are made and decided for everyone, and the whole is told", async () => {
      const { service, mails } = setUp(database);
      await service.topics.subscribe("a", stream());
      await service.topics.subscribe("a", names.slice(0, 5), { channels: ["inbox"] });
      await service.preferences.set(names[6] as string, { topic: "a" }, "off");
      await service.preferences.set(names[7] as string, { topic: "a", channel: "email" }, "off");
      const { notification } = await service.create({
        type: "comment",
        topic: "a",
        to: { email: "zoe@example.com" },
        title: "x",
        message: "m",
      });
      // On a busy machine a lease may run out, or a look-up take too long: what it was for goes out a little later.
      const delivered = async () => {
        await service.runDue();
        return mails.length;
      };
      await expect.poll(delivered, { timeout: 60_000 }).toBe(MANY - 5 - 2 + 1);
      expect(new Set(mails).size).toBe(mails.length);
      expect(await service.get(notification.id)).toMatchObject({ status: "sent" });
      expect(await service.inbox(names[6] as string).counts()).toMatchObject({ total: 0 });
      expect(await service.inbox(names[7] as string).counts()).toMatchObject({ total: 1 });
    });

    test("a service that stops in the middle is gone on for by another one, and everyone gets it once", async () => {
      const { service } = setUp(database);
      await service.topics.subscribe("a", stream());
      await service.start();
      const { notification } = await service.create({ type: "note", topic: "a", title: "x" });
      await vi.waitFor(async () => expect((await service.operator.timeline(notification.id)).itemCount).toBeGreaterThan(0), {
        timeout: 20_000,
      });
      await service.stop();
      const [other, another] = [setUp(database).service, setUp(database).service];
      await Promise.all([other.runDue(), another.runDue()]);
      await other.runDue();
      const counts = await Promise.all(names.map((userId) => other.inbox(userId).counts()));
      expect(counts.filter(({ total, lastSeq }) => total === 1 && lastSeq === 1)).toHaveLength(MANY);
    });

    test("who is deleted while it is under way gets nothing, and is named nowhere", async () => {
      const { service } = setUp(database);
      await service.topics.subscribe("a", stream());
      await service.create({ type: "note", topic: "a", to: "ann-canary", title: "x" });
      await service.deleteUser("ann-canary");
      await service.deleteUser(names[MANY - 1] as string);
      expect((await database.content()).includes("canary")).toBe(false);
      await service.runDue();
      expect(await service.inbox("ann-canary").counts()).toMatchObject({ total: 0, lastSeq: 0 });
      expect(await service.inbox(names[MANY - 1] as string).counts()).toMatchObject({ total: 0, lastSeq: 0 });
      expect(await service.inbox(names[MANY - 2] as string).counts()).toMatchObject({ total: 1 });
    });

    test("one that is deleted while it is under way goes on for nobody", async () => {
      const { service } = setUp(database);
      await service.topics.subscribe("a", stream());
      const { notification } = await service.create({ type: "note", topic: "a", title: "x" });
      await service.delete(notification.id);
      await service.runDue();
      expect(await service.inbox(names[MANY - 1] as string).counts()).toMatchObject({ total: 0 });
      const sent = await service.create({ type: "comment", topic: "a", title: "x", message: "m" });
      await service.cancel(sent.notification.id);
      await service.runDue();
      expect(await service.inbox(names[MANY - 1] as string).counts()).toMatchObject({ total: 0 });
    });
  });

  test.each<readonly [input: object, message: string]>([
    [{ topic: [] }, "topic: must be a topic, or a list of 1 to 20; is an empty list"],
    [{ topic: Array(21).fill("a") }, "topic: must be a topic, or a list of 1 to 20; names 21"],
    [{ topic: ["a", "b//c"] }, "topic.1: must be a path"],
    [{ topic: null }, "topic: expected a string, got null"],
    [{ topic: "a", to: [""] }, "to.0: must not be empty"],
    [
      { topic: "a", to: Array(1_001).fill("ann") },
      "to: must name at most 1000 beside a topic, names 1001; subscribe them, or create without the topic",
    ],
    [{ topic: "a", tittle: "x" }, 'got "tittle"'],
    [{ topic: "a", type: "nothing" }, "nothing"],
    [{ topic: "a", channels: ["fax"] }, "fax"],
  ])("what cannot be is refused (%#)", async (input, message) => {
    const { service } = setUp(database);
    await expect(service.create({ title: "x", message: "m", type: "note", ...input } as never)).rejects.toThrow(message);
  });
});
