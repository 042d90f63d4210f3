import { describe, expect, test } from "vitest";
import { at, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { pauseTests } from "./pause-tests.ts";

/** The promises of what holds deliveries back. */
export function holdsTests(harness: StorageHarness): void {
  describe("endpoints that rest", () => {
    const fixture = useFixture(harness);
    /** An endpoint of this test alone: endpoints are those of all tenants. */
    const endpoint = (name: string, channel = "webhook") => ({ channel, recipient: `${fixture.tenant} ${name}` });
    const holds = () => fixture.storage.holds;

    test("one is noted once, keeps the time at which it began, and is forgotten when it rests no longer", async () => {
      const [one, other] = [endpoint("one"), endpoint("other")];
      await holds().openCircuit({ ...one, failures: 5, openedAt: at(1), openUntil: at(11) });
      await holds().openCircuit({ ...one, failures: 6, openedAt: at(12), openUntil: at(32) });
      await holds().openCircuit({ ...other, failures: 5, openedAt: at(2), openUntil: at(12) });
      const kept = { ...one, failures: 6, openedAt: at(1), openUntil: at(32) };
      expect(await holds().circuitsOf([one, endpoint("unknown"), endpoint("one", "email")])).toEqual([kept]);
      expect(await holds().circuitsOf([one, other])).toHaveLength(2);
      expect(await holds().circuitsOf([])).toEqual([]);
      await holds().closeCircuit(one);
      await holds().closeCircuit(one);
      expect(await holds().circuitsOf([one, other])).toMatchObject([other]);
    });

    test("those whose rest was over are pruned, and those of a recipient are erased over every channel", async () => {
      const [over, resting, erased] = [endpoint("over"), endpoint("resting"), endpoint("erased")];
      const times = { failures: 5, openedAt: at(1) };
      await holds().openCircuit({ ...over, ...times, openUntil: at(10) });
      await holds().openCircuit({ ...resting, ...times, openUntil: at(20) });
      await holds().openCircuit({ ...erased, ...times, openUntil: at(20) });
      await holds().openCircuit({ ...erased, channel: "email", ...times, openUntil: at(20) });
      const restingHere = async (ms: number) =>
        (await holds().restingAt(at(ms), 1_000)).filter(({ recipient }) => recipient.startsWith(`${fixture.tenant} `));
      expect([await restingHere(9), await restingHere(10), await restingHere(20)].map(({ length }) => length)).toEqual([4, 3, 0]);
      expect(await holds().restingAt(at(9), 2)).toHaveLength(2);
      await holds().pruneCircuits(at(20));
      await holds().eraseCircuits(erased.recipient);
      expect(await holds().circuitsOf([over, resting, erased, { ...erased, channel: "email" }])).toMatchObject([resting]);
    });
  });

  pauseTests(harness);
}
