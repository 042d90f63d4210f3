import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { tokenOf } from "../test/inbox-follower.ts";
import { useCleanup } from "../test/use-cleanup.ts";
import { type Arena, arena } from "./parts/arena.ts";
import { databasesOf } from "./parts/run.ts";

const SENDS = 120;
const CONCURRENCY = 100;

describe.each(databasesOf(12))("F12 %s: a process gets SIGTERM with a hundred deliveries in hand", (kind) => {
  const cleanup = useCleanup();

  /** Resolves once the process has as much in hand as it takes. */
  async function isFull(one: Arena): Promise<number> {
    let before = -1;
    await expect
      .poll(
        async () => {
          const [offered, leased] = [one.hook.offered(), await one.database.leased()];
          const isSteady = offered === leased && offered === before && offered > CONCURRENCY / 2;
          before = offered;
          return isSteady;
        },
        { timeout: 60_000, interval: 500 },
      )
      .toBe(true);
    return before;
  }

  test("it claims nothing more, finishes what it has in hand, leaves no lease, and tells sockets to come back", async () => {
    const answering = Promise.withResolvers<void>();
    const hook = async () => {
      await answering.promise;
      return 204;
    };
    const one = await arena(
      { fault: "F12", kind, hook, victim: { concurrency: CONCURRENCY, attemptMs: 20_000, leaseMs: 41_000 } },
      cleanup,
    );
    const ending = await one.start();
    const socket = new WebSocket(`${ending.url.replace("http", "ws")}/api/v1/ws/events?since=0&epoch=0&token=${await tokenOf("user-0")}`);
    await once(socket, "message");
    await one.creates.run(one.jobs(SENDS, ["webhook"]), 8);
    const inHand = await isFull(one);
    const closed = once(socket, "close");
    const signalledAt = performance.now();
    const exited = ending.stop();
    expect((await closed)[0]).toBe(1012);
    answering.resolve();
    expect(await exited, ending.output).toBe(0);
    const exitMs = Math.round(performance.now() - signalledAt);
    expect([await one.database.leased(), one.hook.offered()]).toEqual([0, inHand]);
    const rows = await one.database.deliveries();
    expect(rows.filter(({ isSettled }) => isSettled).length).toBe(inHand);
    expect(rows.filter(({ isSettled, attempt }) => !isSettled && attempt > 0)).toEqual([]);

    one.victims.length = 0;
    await one.start();
    const verdict = await one.expectSound();
    expect(verdict.duplicates).toBe(0);
    one.note(verdict, { "in hand": inHand, "exit after": `${exitMs} ms` });
  });
});
