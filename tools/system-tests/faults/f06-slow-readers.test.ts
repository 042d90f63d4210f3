import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { CreateJob } from "../test/http-creates.ts";
import { tokenOf } from "../test/inbox-follower.ts";
import { useCleanup } from "../test/use-cleanup.ts";
import { arena } from "./parts/arena.ts";
import { databasesOf, IS_WHOLE } from "./parts/run.ts";

const SLOW = 40;
const COUNT = 200;
const STEP = 20;
const MIB = 1024 * 1024;
/** Fills what the operating system buffers for a socket, and then what Belfry does. */
const BULK = "€".repeat(60_000);
/** What all of it may cost. The process collects its garbage each time before it tells its memory. */
const LIMIT_MIB = 95;

describe.skipIf(!IS_WHOLE).each(databasesOf(6))("F6 %s: sockets that never read share an inbox with one that does", (kind) => {
  const cleanup = useCleanup();

  test("they are cut off, cost a bounded amount of memory, and take nothing from the one that reads", async () => {
    const one = await arena({ fault: "F6", kind, users: 1, meta: { bulk: BULK } }, cleanup);
    const victim = await one.start();
    await one.follow();
    const jobs = one.jobs(2 * COUNT, ["websocket"]);
    const create = (count: number) => one.creates.run(Array.from({ length: count }, () => jobs.next().value as CreateJob).values(), 4);
    // The same load without them comes first, so that its own memory is not counted.
    await create(COUNT);
    const before = await victim.state();
    for (let number = 0; number < SLOW; number += 1) {
      const url = `${victim.url.replace("http", "ws")}/api/v1/ws/events?token=${await tokenOf("user-0")}`;
      const socket = new WebSocket(url);
      cleanup(() => socket.terminate());
      socket.on("error", () => {});
      await once(socket, "open");
      socket.pause();
    }
    expect((await victim.state()).sockets).toBe(SLOW + 1);
    let most = 0;
    for (let sent = 0; sent < COUNT; sent += STEP) {
      await create(STEP);
      most = Math.max(most, (await victim.state()).rss);
    }
    const verdict = await one.expectSound();
    await expect.poll(async () => (await victim.state()).sockets, { timeout: 120_000, interval: 500 }).toBe(1);
    const grownMib = Math.round((most - before.rss) / MIB);
    expect(grownMib).toBeLessThan(LIMIT_MIB);
    one.note(verdict, { "sockets that never read": SLOW, "memory grew by": `${grownMib} MiB` });
  });
});
