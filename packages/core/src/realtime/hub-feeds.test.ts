import { expect, test } from "vitest";
import { RecentIds } from "./hub-feeds.ts";

test("an id is new once, as long as it is among the last", () => {
  const ids = new RecentIds(2);
  expect(["a", "a", "b", "c", "b", "a"].map((id, ms) => ids.add(id, ms))).toEqual([true, false, true, true, false, true]);
  expect(["a", "b", "c"].map((id) => ids.has(id))).toEqual([true, false, true]);
});

test("ids seen since a time are kept beyond the number", () => {
  const ids = new RecentIds(2);
  ids.keepSinceMs = 3;
  for (let ms = 0; ms < 10; ms += 1) {
    ids.add(`id ${ms}`, ms);
  }
  expect(Array.from({ length: 10 }, (_, ms) => ids.has(`id ${ms}`)).indexOf(true)).toBe(3);
  ids.keepSinceMs = 9;
  ids.add("one more", 10);
  expect(Array.from({ length: 10 }, (_, ms) => ids.has(`id ${ms}`)).indexOf(true)).toBe(9);
});
