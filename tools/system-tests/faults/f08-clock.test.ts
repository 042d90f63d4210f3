import { describe, expect, test } from "vitest";
import { tokenOf } from "../test/inbox-follower.ts";
import { useCleanup } from "../test/use-cleanup.ts";
import { arena } from "./parts/arena.ts";
import { databasesOf, IS_WHOLE, scaled } from "./parts/run.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MOVES_MS = IS_WHOLE ? [HOUR_MS, -HOUR_MS, DAY_MS, -DAY_MS, 0] : [HOUR_MS, -HOUR_MS];
const COUNT = scaled(30, 150);
const FALLBACKS = 6;

describe.each(databasesOf(8))("F8 %s: the process's clock jumps by an hour and by a day, both ways", (kind) => {
  const cleanup = useCleanup();

  test("no lease in use is taken away, mails that stand in go once, and expired tokens stay expired", async () => {
    // Users without sockets, for whom a mail stands in after a second.
    const hook = () => ({ status: 204, afterMs: 100 });
    const meta = { fallback_delay: 1 };
    const one = await arena({ fault: "F8", kind, hook, meta, victim: { directory: true, attemptMs: 10_000, leaseMs: 21_000 } }, cleanup);
    const victim = await one.start();
    const hooks = one.jobs(COUNT * MOVES_MS.length, ["webhook"]);
    const fallbacks = one.jobs(FALLBACKS * MOVES_MS.length, ["fallback"]);
    for (const moveMs of MOVES_MS) {
      const load = one.creates.run(take(hooks, COUNT), 8);
      // It jumps while deliveries are in hand.
      await expect.poll(() => one.database.leased().catch(() => 0), { timeout: 30_000, interval: 5 }).toBeGreaterThan(0);
      await victim.moveClock(moveMs);
      await load;
      await one.creates.run(take(fallbacks, FALLBACKS), 2);
      // What was due by a clock that has gone back since would wait until that time comes again.
      await one.quiet();
      const expired = await tokenOf("user-0", Math.floor((Date.now() + moveMs) / 1_000) - 60);
      const answer = await fetch(`${victim.url}/api/v1/notifications/`, { headers: { authorization: `Bearer ${expired}` } });
      expect([moveMs, answer.status]).toEqual([moveMs, 401]);
    }
    const verdict = await one.expectSound(({ channel, status, reason }) =>
      channel === "inbox" ? status === "failed" && reason === "offline" : status === (channel === "email" ? "sent" : "delivered"),
    );
    expect(verdict.duplicates).toBe(0);
    expect(verdict.receipts).toBe((COUNT + FALLBACKS) * MOVES_MS.length);
    one.note(verdict, { jumps: MOVES_MS.length });
  });
});

/** The next ones of an iterator, which stays open. */
function take<Item>(items: Iterator<Item>, count: number): IterableIterator<Item> {
  return Array.from({ length: count }, () => items.next().value as Item).values();
}
