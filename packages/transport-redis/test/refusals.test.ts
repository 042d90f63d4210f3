import { readFile } from "node:fs/promises";
import { hasRedis } from "@belfry/redis-launcher";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { type RedisTransport, redisTransport } from "../src/index.ts";
import { Ear, keepLines, signalFor, useCleanup, useRedis, WAIT } from "./setup.ts";

const GUIDE = new URL("../../../docs/guides/redis.md", import.meta.url);
const ANN = { tenant: "t", userId: "ann" };

/** The rules of the guide's example, without the user's name and password. */
async function rulesOfGuide(): Promise<readonly string[]> {
  const [, rules = ""] = /^ACL SETUSER belfry on '>password' ([^\n]+)$/m.exec(await readFile(GUIDE, "utf8")) ?? [];
  return rules.replaceAll("'", "").split(" ");
}

describe.skipIf(!hasRedis)("a user of Redis with rules (only where redis-server is installed)", () => {
  const cleanup = useCleanup();
  const redis = useRedis();

  /** A transport of a user who has the guide's rules, and then those of the test. */
  async function startedWith(...more: string[]) {
    const admin = new Redis(redis.url);
    cleanup(() => admin.disconnect());
    const rules = await rulesOfGuide();
    await admin.acl("SETUSER", "keyes-of-ops", "reset", "on", ">hunter2", ...rules);
    const { logger, lines, fields } = keepLines();
    const transport = redisTransport(`redis://keyes-of-ops:hunter2@127.0.0.1:${redis.port}`, { logger, heartbeatMs: 200 });
    cleanup(() => transport.stop());
    const ear = new Ear();
    await transport.start(ear);
    if (more.length > 0) {
      await admin.acl("SETUSER", "keyes-of-ops", ...more);
    }
    const granted = () => fields.flatMap((one) => ("grant" in one ? [one.grant] : []));
    return { transport, ear, admin, lines, fields, granted };
  }

  /** Has all be done for which Belfry uses Redis; what fails is for others to handle. */
  async function useAll(transport: RedisTransport): Promise<void> {
    const limiter = transport.rateLimiter({ name: "creates", limit: 10 });
    await transport.follow("some feed");
    await Promise.allSettled([
      transport.presence.announce("here", { joined: [ANN], left: [] }, 10_000),
      limiter.consume("a key"),
      transport.socketCounts().note("8.8.8.8", 1),
    ]);
    await transport.presence.holding([ANN]);
    await Promise.allSettled([transport.presence.announce("here", { joined: [], left: [ANN] }, 10_000), transport.presence.leave("here")]);
    transport.unfollow("some feed");
    transport.publish([signalFor("ann")]);
  }

  test("with those of the guide, nothing is refused", async () => {
    const { transport, admin, lines } = await startedWith();
    const other = await startedWith();
    await useAll(transport);
    transport.publish([{ topic: "inboxes" }]);
    await expect.poll(() => other.ear.signals, WAIT).toContainEqual({ topic: "inboxes" });
    // Only the client's library names itself, which Redis before 7.2 does not know.
    const refused = JSON.stringify(await admin.acl("LOG"));
    expect([lines, refused.match(/"object","[^"]+"/g) ?? []]).toEqual([[], []]);
  });

  test("each command that is refused is one line, which says what to add and names nobody", async () => {
    const { transport, lines, fields, granted } = await startedWith("-hset", "-hkeys", "-sunsubscribe", "-ping", "-spublish", "-incrby");
    await useAll(transport);
    await useAll(transport);
    await expect
      .poll(() => new Set(granted()), WAIT)
      .toEqual(new Set(["+hset", "+hkeys", "+sunsubscribe", "+ping", "+spublish", expect.stringContaining("+incrby")]));
    expect(granted()).toHaveLength(6);
    expect(lines).toContain(
      "Redis' access rules (ACL) refuse Belfry a command, hset. Add to the rules of its user: +hset. See docs/guides/redis.md.",
    );
    expect(JSON.stringify([lines, fields])).not.toMatch(/keyes|hunter2|8\.8\.8\.8/);
  });

  test("keys and channels that are refused are lines with the pattern to add", async () => {
    const { transport, granted } = await startedWith("resetkeys", "~app:*");
    await useAll(transport);
    await expect.poll(granted, WAIT).toContain("~belfry:*");
    const deaf = await startedWith("resetchannels", "&app:*");
    deaf.transport.publish([signalFor("ann")]);
    await expect.poll(deaf.granted, WAIT).toContain("&belfry:*");
  });
});
