import { expect, test } from "vitest";
import { EMPTY_EPOCH } from "../inbox/inbox-item.ts";
import { newEpoch } from "./digest.ts";

test("epochs are 12 hexadecimal digits, and none of 10,000 is given twice", () => {
  const epochs = Array.from({ length: 10_000 }, newEpoch);
  expect(epochs.every((epoch) => /^[0-9a-f]{12}$/.test(epoch))).toBe(true);
  expect(new Set(epochs).size).toBe(10_000);
  expect(epochs).not.toContain(EMPTY_EPOCH);
});
