import { expect, test } from "vitest";
import { foldCase } from "./parse-text.ts";

test("texts that differ in case alone fold to the same", () => {
  for (const [one, other] of [
    ["Ada LOVELACE", "aDA lovelace"],
    ["ÄÖÜẞ", "äöüß"],
    ["ЖУК", "жук"],
    ["ΚΟΣΤΑΣ", "κοστας"],
  ] as const) {
    expect(foldCase(one)).toBe(foldCase(other));
  }
});

test("folding a part of a word gives a part of the folded word", () => {
  expect(foldCase("ΚΟΣΤΑΣ")).toContain(foldCase("ΚΟΣ"));
  expect(foldCase("100%_Ann")).toContain(foldCase("%_ANN"));
});
