import { expect, test } from "vitest";
import { isoTime } from "./iso-date.ts";

test.each([0, 1, 999, 59_999, 86_399_999, 86_400_000, 951_782_400_000, 1_763_000_000_123, 4_102_444_799_999, 253_402_300_800_000, -1])(
  "the time %i is written as a Date writes it",
  (atMs) => {
    expect(isoTime(atMs)).toBe(new Date(atMs).toISOString());
  },
);

test("a thousand days are written right, and the first one again", () => {
  for (let day = 0; day <= 1_001; day += 1) {
    expect(isoTime(day * 86_400_000 + 5)).toBe(new Date(day * 86_400_000 + 5).toISOString());
  }
  expect(isoTime(7)).toBe("1970-01-01T00:00:00.007Z");
});
