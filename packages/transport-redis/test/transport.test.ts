import { feedOf } from "@belfry/core/storage";
import { hasRedis, startRedis } from "@belfry/redis-launcher";
import { transportSuite } from "@belfry/testkit";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { type RedisTransportOptions, redisTransport } from "../src/index.ts";
import { BACK, Ear, GONE, keepLines, signalFor, useCleanup, useRedis, WAIT } from "./setup.ts";

describe.skipIf(!hasRedis)("Redis (only where redis-server is installed)", () => {
  const cleanup = useCleanup();
  const redis = useRedis();

  transportSuite("redis", {
    crossesProcesses: true,
    create: async () => redisTransport(redis.url, { logger: keepLines().logger }),
    async interrupt() {
      await redis.kill();
      await redis.startAgain();
    },
  });

  async function started(options: RedisTransportOptions = {}, url: string = redis.url) {
    const [ear, { logger, lines, fields }] = [new Ear(), keepLines()];
    const transport = redisTransport(url, { logger, ...options });
    cleanup(() => transport.stop());
    await transport.start(ear);
    return { transport, ear, lines, fields };
  }

  const feed = (userId: string) => feedOf(signalFor(userId)) ?? "";
  const users = Array.from({ length: 200 }, (_, number) => `user ${number}`);

  test("a process hears of the inboxes that it follows, and of hardly any other", async () => {
    const [one, two] = [await started(), await started()];
    await two.transport.follow(feed("user 0"));
    one.transport.publish(users.map((user) => signalFor(user)));
    one.transport.publish([{ topic: "inboxes" }]);
    await expect.poll(() => two.ear.signals, WAIT).toContainEqual({ topic: "inboxes" });
    await expect.poll(() => two.ear.users(), WAIT).toContain("user 0");
    expect(two.ear.users().length).toBeLessThan(4);
    expect(one.ear.users()).toEqual(users);
  });

  test("with few shards a process hears of others in those that it follows", async () => {
    const [one, two] = [await started({ shards: 1 }), await started({ shards: 1 })];
    await two.transport.follow(feed("user 0"));
    one.transport.publish(users.map((user) => signalFor(user)));
    await expect.poll(() => two.ear.users(), WAIT).toEqual(users);
  });

  test("installations with other prefixes do not hear each other", async () => {
    const [one, two, other] = [await started(), await started(), await started({ prefix: "other" })];
    one.transport.publish([{ topic: "inboxes" }]);
    await expect.poll(() => two.ear.signals, WAIT).toHaveLength(1);
    other.transport.publish([{ topic: "broadcast", tenant: "t" }]);
    one.transport.publish([{ topic: "pauses" }]);
    await expect.poll(() => two.ear.signals, WAIT).toEqual([{ topic: "inboxes" }, { topic: "pauses" }]);
    expect(other.ear.signals).toEqual([{ topic: "broadcast", tenant: "t" }]);
  });

  test("a Redis that goes and comes back is one line each, and what was published meanwhile is a gap", async () => {
    const [one, two] = [await started(), await started()];
    const gaps = two.ear.gaps;
    await redis.kill();
    await expect.poll(() => [one.lines, two.lines], WAIT).toEqual([[GONE], [GONE]]);
    for (let seq = 1; seq <= 10; seq += 1) {
      one.transport.publish([signalFor("user 0", seq)]);
    }
    await two.transport.follow(feed("user 0"));
    await redis.startAgain();
    await expect
      .poll(() => [one.lines, two.lines], WAIT)
      .toEqual([
        [GONE, BACK],
        [GONE, BACK],
      ]);
    await expect.poll(() => two.ear.gaps, WAIT).toBeGreaterThan(gaps);
    one.transport.publish([signalFor("user 0", 11)]);
    await expect.poll(() => two.ear.signals.at(-1), WAIT).toMatchObject({ seq: 11 });
  });

  test("a Redis that is away at the start keeps nobody from starting", async () => {
    await redis.kill();
    const one = await started();
    expect(one.lines).toEqual([GONE]);
    await redis.startAgain();
    await expect.poll(() => one.lines, WAIT).toEqual([GONE, BACK]);
  });

  test("a peer that says nothing more is given up", async () => {
    const one = await started({ heartbeatMs: 200 });
    const client = new Redis(redis.url);
    cleanup(() => client.disconnect());
    await client.client("PAUSE", 2_000);
    await expect.poll(() => one.lines, WAIT).toEqual([GONE]);
    await expect.poll(() => one.lines, WAIT).toEqual([GONE, BACK]);
  });

  test("a password that is wrong ends the start with an error that does not show it", async () => {
    const guarded = await startRedis({ settings: { requirepass: "right" } });
    cleanup(() => guarded.stop());
    const { logger, lines, fields } = keepLines();
    const url = `redis://:wrong-and-secret@127.0.0.1:${guarded.port}`;
    const transport = redisTransport(url, { logger });
    await expect(transport.start(new Ear())).rejects.toMatchObject({
      code: "CONFIGURATION",
      message: expect.stringContaining("WRONGPASS"),
    });
    expect(JSON.stringify([lines, fields])).not.toContain("secret");
    const right = await started({}, `redis://:right@127.0.0.1:${guarded.port}`);
    expect(right.lines).toEqual([]);
  });

  test("what Redis refuses after the start is said, and asked for again until it allows it", async () => {
    const admin = new Redis(redis.url);
    cleanup(() => admin.disconnect());
    cleanup(() => admin.acl("DELUSER", "limited"));
    await admin.acl("SETUSER", "limited", "on", ">word", "~*", "+@all", "resetchannels", "&belfry:all");
    const url = `redis://limited:word@127.0.0.1:${redis.port}`;
    const [one, two] = [await started(), await started({ heartbeatMs: 200 }, url)];
    await two.transport.follow(feed("user 0"));
    const refusal = expect.stringContaining("&belfry:*");
    expect(two.lines).toEqual([refusal, GONE]);
    expect(JSON.stringify(two.fields)).toContain("NOPERM");
    await admin.acl("SETUSER", "limited", "allchannels");
    await expect.poll(() => two.lines, WAIT).toEqual([refusal, GONE, BACK]);
    one.transport.publish([signalFor("user 0")]);
    await expect.poll(() => two.ear.users(), WAIT).toEqual(["user 0"]);
  });

  test("what Redis refuses to those who send is said, too", async () => {
    const admin = new Redis(redis.url);
    cleanup(() => admin.disconnect());
    cleanup(() => admin.acl("DELUSER", "mute"));
    await admin.acl("SETUSER", "mute", "on", ">word", "~*", "+@all", "-spublish", "allchannels");
    const one = await started({}, `redis://mute:word@127.0.0.1:${redis.port}`);
    one.transport.publish([signalFor("user 0")]);
    const refusal = expect.stringContaining("+spublish");
    await expect.poll(() => one.lines, WAIT).toEqual([refusal, GONE]);
    await admin.acl("SETUSER", "mute", "+spublish");
    one.transport.publish([signalFor("user 0")]);
    await expect.poll(() => one.lines, WAIT).toEqual([refusal, GONE, BACK]);
  });

  describe("presence", () => {
    const [ann, bob] = [
      { tenant: "t", userId: "ann" },
      { tenant: "t", userId: "bob" },
    ] as const;
    const LEASE_MS = 60_000;

    async function setting() {
      const admin = new Redis(redis.url);
      cleanup(() => admin.disconnect());
      // Instances of other tests had the same name.
      await admin.flushall();
      const { transport, lines } = await started();
      const { presence } = transport;
      await presence.announce("one", { joined: [ann, bob], left: [] }, LEASE_MS);
      expect(await presence.renew("one", LEASE_MS)).toBe(true);
      const holders = async () => (await presence.holding([ann, bob])).map((held) => held.map(({ instance }) => instance));
      expect(await holders()).toEqual([["one"], ["one"]]);
      return { presence, holders, admin, lines };
    }

    test("users who left while Redis had forgotten their instance are not taken for connected", async () => {
      const { presence, holders, admin } = await setting();
      await admin.del(...(await admin.keys("belfry:presence:instance:*")));
      expect(await holders()).toEqual([[], []]);
      expect(await admin.keys("belfry:presence:*")).toEqual([]);
      expect(await presence.renew("one", LEASE_MS)).toBe(false);
      expect(await holders()).toEqual([[], []]);
      await presence.announce("one", { joined: [ann], left: [] }, LEASE_MS);
      expect(await holders()).toEqual([["one"], []]);
    });

    test("whoever took a lease anew has told of all users, also if a step after it failed", async () => {
      const { presence, holders, admin } = await setting();
      await admin.flushall();
      await admin.acl("SETUSER", "default", "-hset");
      cleanup(() => admin.acl("SETUSER", "default", "+hset"));
      await expect(presence.announce("one", { joined: [ann], left: [] }, LEASE_MS)).rejects.toThrow("NOPERM");
      await admin.acl("SETUSER", "default", "+hset");
      expect(await presence.announce("one", { joined: [ann], left: [] }, LEASE_MS)).toBe(false);
      await presence.announce("one", { joined: [ann, bob], left: [] }, LEASE_MS);
      expect(await presence.renew("one", LEASE_MS)).toBe(true);
      expect(await holders()).toEqual([["one"], ["one"]]);
    });

    test("after every connection anew, it tells of all users", async () => {
      const { presence, lines, admin } = await setting();
      await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await expect.poll(() => lines, WAIT).toEqual([GONE, BACK]);
      expect([await presence.renew("one", LEASE_MS), await presence.renew("one", LEASE_MS)]).toEqual([false, true]);
    });
  });

  test("a start waits for the connection that sends, too", async () => {
    const { transport } = await started();
    const limiter = transport.rateLimiter({ name: "first", limit: 1 });
    const other = (await started()).transport.rateLimiter({ name: "first", limit: 1 });
    await limiter.consume("x");
    await expect(other.consume("x")).rejects.not.toBeInstanceOf(Error);
  });

  test("a transport is one service's alone", async () => {
    const { transport } = await started();
    await expect(transport.start(new Ear())).rejects.toMatchObject({ code: "CONFIGURATION" });
  });

  test("the settings of a client are taken over, and the client itself is left alone", async () => {
    const client = new Redis(redis.url, { lazyConnect: true });
    const transport = redisTransport(client);
    cleanup(() => transport.stop());
    await transport.start(new Ear());
    expect(client.status).toBe("wait");
    await transport.stop();
  });

  test("a process that creates without listening is heard", async () => {
    const [speaker, two] = [redisTransport(redis.url), await started()];
    cleanup(() => speaker.stop());
    await two.transport.follow(feed("user 0"));
    speaker.publish([signalFor("user 0")]);
    await expect.poll(() => two.ear.users(), WAIT).toEqual(["user 0"]);
  });

  test("limits count over all processes, and each by itself while Redis is away", async () => {
    const [one, two] = [await started(), await started()];
    const limits = [one, two].map(({ transport }) => transport.rateLimiter({ name: "bad", limit: 3, windowS: 600 }));
    const take = (at: number) =>
      limits[at]?.consume("1.2.3.4").then(
        () => "taken",
        (rejected: unknown) => (rejected instanceof Error ? "failed" : "refused"),
      );
    expect([await take(0), await take(1), await take(0), await take(1), await take(0)]).toEqual([
      "taken",
      "taken",
      "taken",
      "refused",
      "refused",
    ]);
    await redis.kill();
    await expect.poll(() => one.lines, WAIT).toEqual([GONE]);
    expect([await take(0), await take(0), await take(0), await take(0)]).toEqual(["taken", "taken", "taken", "refused"]);
  });
});
