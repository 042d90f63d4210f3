import { NotificationService } from "@belfry/core";
import { expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

onEveryStorage((database) => {
  const setUp = () => stopsAfterTest(new NotificationService({ storage: database.storage(), logger: silent }));

  async function* stream(count: number) {
    for (let index = 0; index < count; index += 1) {
      yield `user ${index % 2_400}`;
    }
  }

  test("users subscribe and leave, one, a list or a stream; each call may be repeated", async () => {
    const { topics } = setUp();
    expect(await topics.subscribe("post:7", "ann")).toBe(1);
    expect(await topics.subscribe("post:7", ["ann", "bob", "bob"])).toBe(1);
    expect(await topics.subscribe("post:7", [])).toBe(0);
    expect(await topics.subscribe("big", stream(2_500))).toBe(2_400);
    expect(await topics.unsubscribe("big", stream(2_500))).toBe(2_400);
    expect(await topics.unsubscribe("post:7", "bob")).toBe(1);
    expect(await topics.unsubscribe("post:7", "bob")).toBe(0);
    expect((await topics.subscribers("post:7")).subscriptions).toMatchObject([{ userId: "ann", deep: false, channels: null }]);
  });

  test("lists come in pages, whose cursors lead on while subscriptions come and go", async () => {
    const { topics } = setUp();
    await topics.subscribe("post:7", ["ann", "bob", "cat", "dan"]);
    const first = await topics.subscribers("post:7", { limit: 2 });
    expect(first.subscriptions.map(({ userId }) => userId)).toEqual(["ann", "bob"]);
    await topics.unsubscribe("post:7", ["ann", "bob"]);
    const second = await topics.subscribers("post:7", { limit: 2, cursor: first.nextCursor as string });
    expect(second.subscriptions.map(({ userId }) => userId)).toEqual(["cat", "dan"]);
    expect(second.nextCursor).toBeNull();
    await topics.subscribe("post:7/replies", "cat");
    await topics.subscribe("post:77", "cat");
    expect(await topics.list({ prefix: "post:7" })).toEqual({ topics: ["post:7", "post:7/replies"], nextCursor: null });
    const page = await topics.subscriptions("cat", { limit: 1 });
    const rest = await topics.subscriptions("cat", { cursor: page.nextCursor as string });
    expect([...page.subscriptions, ...rest.subscriptions].map(({ topic }) => topic)).toEqual(["post:7", "post:7/replies", "post:77"]);
  });

  test("a subscription keeps what a later call does not mention", async () => {
    const { topics } = setUp();
    await topics.subscribe("post:7", "ann", { deep: true, channels: ["inbox", "inbox"] });
    await topics.subscribe("post:7", "ann");
    expect((await topics.subscriptions("ann")).subscriptions).toMatchObject([{ topic: "post:7", deep: true, channels: ["inbox"] }]);
    await topics.subscribe("post:7", "ann", { channels: null });
    expect((await topics.subscriptions("ann")).subscriptions).toMatchObject([{ deep: true, channels: null }]);
  });

  test("a mute is a choice about the topic", async () => {
    const { topics, preferences } = setUp();
    await topics.mute("post:7", "ann");
    expect((await preferences.list("ann")).choices).toMatchObject([{ scope: "topic", name: "post:7", channel: null, value: "off" }]);
    expect(await topics.unmute("post:7", "ann")).toBe(true);
    expect(await topics.unmute("post:7", "ann")).toBe(false);
  });

  test("tenants have topics of their own", async () => {
    const notifications = setUp();
    await notifications.tenant("acme").topics.subscribe("post:7", "ann");
    expect((await notifications.topics.subscribers("post:7")).subscriptions).toEqual([]);
    expect((await notifications.topics.list()).topics).toEqual([]);
  });

  test.each([
    ["", "topic: must not be empty"],
    ["/post", "must be a path"],
    ["post/", "must be a path"],
    ["post//7", "must be a path"],
    [Array(17).fill("a").join("/"), "at most 16 segments, has 17"],
    ["x".repeat(256), "at most 255 characters"],
    ["\u{1f600}".repeat(101), "at most 400 bytes in UTF-8, has 404"],
    ["a\u0000b", "NUL"],
    ["a\ud800", "surrogate"],
    [7 as unknown as string, "expected a string, got number"],
  ])("the topic %j is refused", async (topic, message) => {
    const { topics } = setUp();
    await expect(topics.subscribe(topic, "ann")).rejects.toThrow(message);
    await expect(topics.unsubscribe(topic, "ann")).rejects.toThrow(message);
    await expect(topics.subscribers(topic)).rejects.toThrow(message);
    await expect(topics.mute(topic, "ann")).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
  });

  test("what else cannot be is refused by name", async () => {
    const { topics } = setUp();
    await expect(topics.subscribe("post:7", Array(1_001).fill("ann"))).rejects.toThrow(
      "must name at most 1000, names 1001; split the list, or pass a stream",
    );
    await expect(topics.subscribe("post:7", ["ann", ""])).rejects.toThrow("users.1: must not be empty");
    await expect(topics.subscribe("post:7", "ann", { channels: ["fax"] })).rejects.toThrow(
      'must be a channel of the service, one of inbox; is "fax"',
    );
    await expect(topics.subscribe("post:7", "ann", { channels: [] })).rejects.toThrow("must be a list of 1 to 20 channels, or null");
    await expect(topics.subscribe("post:7", "ann", { deep: "yes" as unknown as boolean })).rejects.toThrow(
      'deep: must be one of true, false, is "yes"',
    );
    await expect(topics.subscribe("post:7", "ann", { depp: true } as object)).rejects.toThrow(
      'topics.subscribe takes deep, channels; got "depp"',
    );
    await expect(topics.subscribers("post:7", { cursor: "?" })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
    await expect(topics.list({ limit: 1_001 })).rejects.toThrow("must be a whole number from 1 to 1000");
  });
});
