import { describe, expect, test } from "vitest";
import { emptyDatabase } from "../test/either-database.ts";
import { useCleanup } from "../test/use-cleanup.ts";
import { arena } from "./parts/arena.ts";
import { IS_WHOLE, scaled } from "./parts/run.ts";
import { TcpProxy } from "./parts/tcp-proxy.ts";

const COUNT = scaled(30, 200);

describe("F4 PostgreSQL: the network to the database is slow, resets connections, or swallows everything on them", () => {
  const cleanup = useCleanup();

  test("connections that nobody answers on are given up, listening begins anew, and nothing accepted is lost", async () => {
    const url = await emptyDatabase("PostgreSQL", cleanup);
    const proxy = new TcpProxy(url);
    const one = await arena({ fault: "F4", kind: "PostgreSQL", url, victimUrl: await proxy.listen(cleanup), users: 3 }, cleanup);
    await one.start();
    await one.start();
    await one.follow();
    await one.creates.run(one.jobs(COUNT), 4);

    proxy.delay(20);
    await one.creates.run([...one.jobs(2 * COUNT)].slice(COUNT).values(), 4);
    proxy.delay(0);
    proxy.reset();
    await one.creates.run([...one.jobs(3 * COUNT)].slice(2 * COUNT).values(), 4);
    let silent = 0;
    if (IS_WHOLE) {
      // A statement without an answer is given up after 30 seconds, a listening connection much earlier.
      silent = proxy.silence();
      expect(silent).toBeGreaterThan(0);
      await one.creates.run([...one.jobs(4 * COUNT)].slice(3 * COUNT).values(), 4);
    }
    expect(one.victims.filter(({ isAlive }) => !isAlive)).toEqual([]);
    const verdict = await one.expectSound();
    one.note(verdict, { "connections that fell silent": silent });
  });
});
