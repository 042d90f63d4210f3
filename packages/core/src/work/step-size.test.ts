import { expect, test } from "vitest";
import { StepSize } from "./step-size.ts";

test("a step is as large as what the one before took allows, grows by a quarter at the most, and stays within its limits", async () => {
  let nowMs = 0;
  const size = new StepSize({ fewest: 3, most: 9, wantedMs: 6 }, () => nowMs);
  const limits: number[] = [];
  for (const tookMs of [6, 1, 0, 1, 1, 1, 6, 12, 6, 100, 0]) {
    await size.step(async (limit) => {
      limits.push(limit);
      nowMs += tookMs;
    });
  }
  expect(limits).toEqual([3, 3, 4, 5, 6, 8, 9, 9, 5, 5, 3]);
});
