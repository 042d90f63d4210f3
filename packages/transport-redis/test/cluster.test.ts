import { feedOf } from "@belfry/core/storage";
import { hasRedis, type RedisCluster, type RedisServer, startRedisCluster } from "@belfry/redis-launcher";
import { transportSuite } from "@belfry/testkit";
import { Redis } from "ioredis";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { redisTransport } from "../src/index.ts";
import { Shards } from "../src/shards.ts";
import { BACK, Ear, GONE, keepLines, signalFor, useCleanup, WAIT } from "./setup.ts";

const SHARDS = 64;
const ROUNDS = 30;

describe.skipIf(!hasRedis)("a cluster of Redis (only where redis-server is installed)", () => {
  const cleanup = useCleanup();
  let cluster: RedisCluster | null = null;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    return () => cluster?.stop();
  });
  const current = () => {
    if (cluster === null) {
      throw new Error("The cluster is there only while the tests of the file run.");
    }
    return cluster;
  };
  beforeEach(() => current().ready());
  const urls = () => current().nodes.map(({ url }) => url);

  transportSuite("redis cluster", {
    crossesProcesses: true,
    create: async () => redisTransport(urls(), { logger: keepLines().logger }),
  });

  async function started() {
    const [ear, { logger, lines, fields }] = [new Ear(), keepLines()];
    const transport = redisTransport(urls(), { logger, shards: SHARDS });
    cleanup(() => transport.stop());
    await transport.start(ear);
    return { transport, ear, lines, fields };
  }

  const feed = (user: string) => feedOf(signalFor(user)) ?? "";
  const nodeOf = (user: string) =>
    current().nodeOf(`belfry:${new Shards(SHARDS, { hear: async () => {}, leave() {} }).shardOf(feed(user))}`);

  /** Some users whose signals a node carries, and some whose signals others carry. */
  async function usersOf(node: RedisServer) {
    const [its, others]: [string[], string[]] = [[], []];
    for (let number = 0; its.length < 3 || others.length < 3; number += 1) {
      const user = `user ${number}`;
      ((await nodeOf(user)) === node ? its : others).push(user);
    }
    return { its, others };
  }

  test.each([
    ["that carries what concerns everybody", true],
    ["of some inboxes", false],
  ])("a node is away %s: the others' signals arrive, and nobody is sent to the database for them", async (_, isForAll) => {
    const ofAll = await current().nodeOf("belfry:all");
    const node = isForAll ? ofAll : required(current().nodes.find((other) => other !== ofAll));
    const { its, others } = await usersOf(node);
    const [one, two] = [await started(), await started()];
    await Promise.all([...its, ...others].map((user) => two.transport.follow(feed(user))));
    await node.kill();
    let isAway = true;
    cleanup(() => (isAway ? node.startAgain() : undefined));
    await expect.poll(() => [one.lines, two.lines], WAIT).toEqual([[GONE], [GONE]]);
    const { gaps } = two.ear;
    for (let seq = 1; seq <= ROUNDS; seq += 1) {
      const publish = (some: readonly string[]) => one.transport.publish(some.map((user) => signalFor(user, seq)));
      publish(its);
      publish(others);
      await expect.poll(() => two.ear.of(others[0] ?? "").at(-1), WAIT).toBe(seq);
    }
    expect(two.ear.gaps).toBe(gaps);
    await node.startAgain();
    isAway = false;
    await expect
      .poll(() => [one.lines, two.lines], WAIT)
      .toEqual([
        [GONE, BACK],
        [GONE, BACK],
      ]);
    expect(two.ear.gaps).toBeGreaterThan(gaps);
    const last = () => {
      one.transport.publish(its.map((user) => signalFor(user, ROUNDS + 1)));
      return two.ear.of(its[0] ?? "").at(-1);
    };
    // The connection that sends comes back when there is something to send.
    await expect.poll(last, WAIT).toBe(ROUNDS + 1);
  });

  test("the connections that hear are tested, on each node, and are built anew when one ends", async () => {
    const [one, two] = [await started(), await started()];
    await two.transport.follow(feed("user 0"));
    for (const { url } of current().nodes) {
      const admin = new Redis(url);
      cleanup(() => admin.disconnect());
      const listening = async () =>
        String(await admin.call("CLIENT", "LIST"))
          .split("\n")
          .filter((line) => line.includes("name=belfry-listen"));
      await expect.poll(async () => (await listening()).map((line) => / cmd=(\S+)/.exec(line)?.[1]), WAIT).toEqual(["ping", "ping"]);
    }
    const admin = new Redis((await nodeOf("user 0")).url);
    cleanup(() => admin.disconnect());
    await admin.call("CLIENT", "KILL", "TYPE", "pubsub");
    await expect.poll(() => two.lines, WAIT).toEqual([GONE, BACK]);
    one.transport.publish([signalFor("user 0")]);
    await expect.poll(() => two.ear.users(), WAIT).toEqual(["user 0"]);
  });

  test("a user whom the nodes refuse is refused, without the password", async () => {
    const { logger, lines, fields } = keepLines();
    const transport = redisTransport(
      urls().map((url) => url.replace("//", "//ann:secret@")),
      { logger },
    );
    cleanup(() => transport.stop());
    await expect(transport.start(new Ear())).rejects.toMatchObject({
      code: "CONFIGURATION",
      message: expect.stringContaining("WRONGPASS"),
    });
    expect(JSON.stringify([lines, fields])).not.toContain("secret");
  });

  test.each(["cluster|slots", "cluster|info"])("a user who may not use %s learns which rule is lacking", async (command) => {
    for (const { url } of current().nodes) {
      const admin = new Redis(url);
      await admin.acl("SETUSER", "lacking", "reset", "on", ">hunter2", "allkeys", "allchannels", "+@all", `-${command}`);
      admin.disconnect();
    }
    const { logger, fields } = keepLines();
    const transport = redisTransport(
      urls().map((url) => url.replace("//", "//lacking:hunter2@")),
      { logger },
    );
    cleanup(() => transport.stop());
    const start = Promise.allSettled([transport.start(new Ear())]);
    await expect.poll(() => fields.flatMap((one) => ("grant" in one ? [one.grant] : [])), WAIT).toEqual([`+${command}`]);
    await start;
  });

  test("one node of a cluster as if it were a server is refused", async () => {
    const ofAll = await current().nodeOf("belfry:all");
    const { url } = required(current().nodes.find((node) => node !== ofAll));
    const transport = redisTransport(url, { logger: keepLines().logger });
    cleanup(() => transport.stop());
    await expect(transport.start(new Ear())).rejects.toMatchObject({ code: "CONFIGURATION", message: expect.stringContaining("MOVED") });
  });
});

function required<Thing>(thing: Thing | undefined): Thing {
  if (thing === undefined) {
    throw new Error("There is none.");
  }
  return thing;
}
