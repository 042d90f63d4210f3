import { describe, expect, test } from "vitest";
import { useCleanup } from "../test/use-cleanup.ts";
import { arena } from "./parts/arena.ts";
import { databasesOf, scaled } from "./parts/run.ts";

const KILLS = scaled(1, 10);
const BETWEEN_KILLS = scaled(90, 150);
const IN_FLIGHT = 8;

describe.each(databasesOf(1))("F1 %s: processes are killed while they accept and deliver", (kind) => {
  const cleanup = useCleanup();

  test("nothing accepted is lost, and what arrives twice was in hand at a kill", async () => {
    const one = await arena({ fault: "F1", kind, users: 6 }, cleanup);
    // On SQLite, one process delivers.
    for (let started = 0; started < (kind === "SQLite" ? 1 : 3); started += 1) {
      await one.start();
    }
    await one.follow();
    const load = one.creates.run(one.jobs((KILLS + 1) * BETWEEN_KILLS), IN_FLIGHT);
    let inHand = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const until = kill * BETWEEN_KILLS + 20 + one.random.below(BETWEEN_KILLS - 20);
      await expect.poll(() => one.creates.acknowledged.size, { timeout: 120_000, interval: 5 }).toBeGreaterThanOrEqual(until);
      const victim = one.random.pick([...one.victims] as [(typeof one.victims)[0]]);
      inHand += await one.replace(victim);
    }
    await load;
    const verdict = await one.expectSound();
    expect(verdict.duplicates).toBeLessThanOrEqual(inHand);
    one.note(verdict, { kills: KILLS, "in hand at kills": inHand });
  });
});
