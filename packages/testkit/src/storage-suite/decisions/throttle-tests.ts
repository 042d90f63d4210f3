import { askThrottle, type ThrottleQuestion } from "@belfry/core/storage";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { at, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { eraseAll } from "../steps.ts";

const RUNS = 30;

/** The promises of throttles. */
export function throttleTests(harness: StorageHarness): void {
  describe("throttles", () => {
    const fixture = useFixture(harness);
    const ms = (value: number) => new Date(at(0).getTime() + value);
    const use = (questions: readonly ThrottleQuestion[], afterMs: number) =>
      fixture.storage.decisions.useThrottles(fixture.tenant, questions, ms(afterMs));
    const ask = (more: Partial<ThrottleQuestion> = {}): ThrottleQuestion => ({
      ...{ userId: "ann", type: "comment", channel: "email", max: 2, perMs: 1_000 },
      ...more,
    });

    test("let so many pass at once, then one for each part of their time", async () => {
      const answers: boolean[] = [];
      for (const afterMs of [0, 0, 0, 499, 500, 500, 5_000, 5_000, 5_000]) {
        answers.push(...(await use([ask()], afterMs)));
      }
      expect(answers).toEqual([true, true, false, false, true, false, true, true, false]);
    });

    test("are those of one user, type, channel and tenant", async () => {
      const others = [ask({ userId: "bob" }), ask({ channel: "push" }), ask({ max: 1, channel: "sms" })];
      expect(await use([ask({ max: 1 }), ...others], 0)).toEqual([true, true, true, true]);
      expect(await use([ask({ max: 1 }), ...others], 0)).toEqual([false, true, true, false]);
      expect(await use([ask({ max: 1, type: "like" }), ask({ max: 1 })], 0)).toEqual([true, false]);
      const elsewhere = fixture.storage.decisions.useThrottles(`${fixture.tenant} b`, [ask({ max: 1 })], at(0));
      expect(await elsewhere).toEqual([true]);
      expect(await use([], 0)).toEqual([]);
    });

    test("answer as the algorithm does, and say what was used", async () => {
      const question = fc.record({ userId: fc.constantFrom("ann", "bob"), pauseMs: fc.integer({ min: 0, max: 2_000 }) });
      const throttle = fc.record({ max: fc.integer({ min: 1, max: 20 }), perMs: fc.integer({ min: 1_000, max: 10_000 }) });
      let run = 0;
      await fc.assert(
        fc.asyncProperty(throttle, fc.array(question, { maxLength: 20 }), async (limits, asked) => {
          run += 1;
          const type = `type ${run}`;
          const freeAt = new Map<string, number>();
          let now = at(0).getTime();
          for (const { userId, pauseMs } of asked) {
            now += pauseMs;
            const expected = askThrottle(limits, freeAt.get(userId) ?? null, now);
            freeAt.set(userId, expected.freeAt);
            const [isAllowed] = await fixture.storage.decisions.useThrottles(
              fixture.tenant,
              [ask({ ...limits, userId, type })],
              new Date(now),
            );
            expect(isAllowed).toBe(expected.isAllowed);
            const stored = await fixture.storage.decisions.throttleFreeAt(fixture.owner(userId), { type, channel: "email" });
            expect(stored).toBeCloseTo(expected.freeAt, 0);
          }
        }),
        { numRuns: RUNS },
      );
    });

    test("let no more pass however many ask at once", async () => {
      const asked = Array.from({ length: 20 }, () => use([ask({ userId: "ann" }), ask({ userId: "bob" })], 0));
      const answers = await Promise.all(asked);
      expect([0, 1].map((index) => answers.filter((one) => one[index]).length)).toEqual([2, 2]);
    });

    test("are forgotten once they are free, and with their user", async () => {
      const { decisions } = fixture.storage;
      const freeAt = (userId: string) => decisions.throttleFreeAt(fixture.owner(userId), { type: "comment", channel: "email" });
      await use([ask(), ask({ userId: "bob" }), ask({ userId: "cat", max: 1, perMs: 60_000 })], 0);
      await decisions.pruneThrottles(ms(500));
      expect([await freeAt("ann"), await freeAt("cat")]).toEqual([null, ms(60_000).getTime()]);
      await eraseAll(() => decisions.erase(fixture.owner("cat"), 10));
      expect(await freeAt("cat")).toBeNull();
    });
  });
}
