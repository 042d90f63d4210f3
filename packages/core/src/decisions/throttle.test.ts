import fc from "fast-check";
import { expect, test } from "vitest";
import { askThrottle } from "./throttle.ts";

test("a throttle lets so many pass at once, then one for each part of its time", () => {
  const throttle = { max: 3, perMs: 60_000 };
  let freeAt: number | null = null;
  const ask = (at: number) => {
    const answer = askThrottle(throttle, freeAt, at);
    freeAt = answer.freeAt;
    return answer.isAllowed;
  };
  expect([0, 0, 0, 0].map(ask)).toEqual([true, true, true, false]);
  expect([19_999, 20_000, 20_001, 40_000].map(ask)).toEqual([false, true, false, true]);
  // After a while without any, it is wholly free again.
  expect([1_000_000, 1_000_000, 1_000_000, 1_000_000].map(ask)).toEqual([true, true, true, false]);
});

test("no time as long as a throttle's sees more than twice as many, and a quiet one never refuses the first", () => {
  const waits = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 20_000 }), waits, (max, perMs, pauses) => {
      let at = 0;
      let freeAt: number | null = null;
      const passed: number[] = [];
      for (const pause of pauses) {
        at += pause;
        const answer = askThrottle({ max, perMs }, freeAt, at);
        expect(answer.isAllowed || passed.length > 0).toBe(true);
        freeAt = answer.freeAt;
        if (answer.isAllowed) {
          passed.push(at);
        }
      }
      for (const [index, start] of passed.entries()) {
        expect(passed.slice(index).filter((time) => time < start + perMs).length).toBeLessThanOrEqual(2 * max);
      }
    }),
  );
});
