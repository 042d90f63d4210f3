import { describe, expect, test } from "vitest";
import { useCleanup } from "../test/use-cleanup.ts";
import { arena } from "./parts/arena.ts";
import { databasesOf, IS_WHOLE, scaled } from "./parts/run.ts";
import { TcpProxy } from "./parts/tcp-proxy.ts";

const SOCKETS = scaled(60, 400);
const COUNT = scaled(150, 1_000);
const CUTS = scaled(1, 3);

describe.each(databasesOf(5))("F5 %s: the network to all sockets is cut, and all of them come back at once", (kind) => {
  const cleanup = useCleanup();

  test("no item is missed or repeated, and sockets that nobody holds any more are let go", async () => {
    const one = await arena({ fault: "F5", kind, users: SOCKETS }, cleanup);
    const victim = await one.start();
    const proxy = new TcpProxy(victim.url);
    await one.follow((await proxy.listen(cleanup)).replace(/\/$/, ""));
    const load = one.creates.run(one.jobs(COUNT, ["websocket"]), 4);
    for (let cut = 1; cut <= CUTS; cut += 1) {
      await expect.poll(() => one.creates.acknowledged.size, { timeout: 120_000, interval: 5 }).toBeGreaterThan((COUNT * cut) / (CUTS + 2));
      if (IS_WHOLE) {
        // The process does not hear that they are gone.
        proxy.silence();
        for (const follower of one.followers) {
          follower.drop();
        }
      } else {
        proxy.reset();
      }
    }
    await load;
    const verdict = await one.expectSound();
    expect(one.followers.filter(({ losses }) => losses < CUTS)).toEqual([]);
    const quietAt = performance.now();
    await expect.poll(async () => (await victim.state()).sockets, { timeout: 120_000, interval: 200 }).toBe(SOCKETS);
    one.note(verdict, {
      sockets: SOCKETS,
      cuts: CUTS,
      "dead sockets gone after": `${Math.round((performance.now() - quietAt) / 1_000)} s`,
    });
  });
});
