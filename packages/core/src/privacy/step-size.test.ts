import { expect, test } from "vitest";
import { StepSize } from "./context.ts";

test("a step may remove more after a short step, and half as much after a long one, between 4 and 20 rows", async () => {
  let nowMs = 0;
  const size = new StepSize({ now: () => nowMs, after: () => () => {} });
  const limits: number[] = [];
  const step = (tookMs: number) =>
    size.step(async (limit) => {
      limits.push(limit);
      nowMs += tookMs;
    });
  for (const tookMs of [5, 1, 1, 1, 1, 1, 1, 1, 0, 6, 6, 50, 1, 0]) {
    await step(tookMs);
  }
  expect(limits).toEqual([4, 6, 8, 10, 12, 14, 16, 18, 20, 20, 10, 5, 4, 6]);
});
