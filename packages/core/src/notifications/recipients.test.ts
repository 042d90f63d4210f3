import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Issue } from "../foundation/errors.ts";
import { compareBytewise, parseRecipients } from "./recipients.ts";

function issuesOf(to: unknown): readonly Issue[] {
  const parsed = parseRecipients(to);
  return "issues" in parsed ? parsed.issues.error().issues : [];
}

describe("parseRecipients", () => {
  test("users are taken once and sorted", () => {
    expect(parseRecipients(["b", "a", "b"])).toEqual({ recipients: ["a", "b"] });
    expect(parseRecipients("ann")).toEqual({ recipients: ["ann"] });
  });

  test.each([
    ["no user", []],
    ["an empty id", [""]],
    ["an id of the wrong kind", [7]],
    ["no list at all", undefined],
    ["an id with a NUL", "a\u0000"],
    ["half a surrogate pair", "a\ud800"],
    ["an id of 256 characters", "x".repeat(256)],
  ])("%s is refused", (_, to) => {
    expect(parseRecipients(to)).toHaveProperty("issues");
  });

  test("an issue names the place in the list", () => {
    expect(issuesOf(["a", 7])).toMatchObject([{ path: ["to", 1], type: "string_type", message: "expected a string, got number" }]);
  });

  test("more than a million users are refused before any is looked at", () => {
    expect(issuesOf(new Array(1_000_001))).toMatchObject([{ path: ["to"], type: "too_long" }]);
  });
});

test("compareBytewise orders as the bytes of UTF-8 do", () => {
  const unit = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(unit, unit, (left, right) => {
      const expected = Buffer.compare(Buffer.from(left, "utf8"), Buffer.from(right, "utf8"));
      expect(Math.sign(compareBytewise(left, right))).toBe(expected);
    }),
    { numRuns: 2_000 },
  );
});
