import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareBytewise } from "../foundation/compare-bytewise.ts";
import type { Issue } from "../foundation/errors.ts";
import { leaveOut, parseRecipients } from "./recipients.ts";

async function issuesOf(to: unknown): Promise<readonly Issue[]> {
  const parsed = await parseRecipients(to);
  return "issues" in parsed ? parsed.issues.error().issues : [];
}

/** Counts the turns that others have; answers how many they were, and counts no more. */
function countTurns(): () => number {
  let turns = 0;
  const count = () => {
    turns += 1;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  return () => {
    clearImmediate(counting);
    return turns;
  };
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

  test("an issue names the place in the list", async () => {
    expect(await issuesOf(["a", 7])).toMatchObject([{ path: ["to", 1], type: "string_type", message: "expected a string, got number" }]);
    const long = Array.from({ length: 12_000 }, (_, index) => `user_${index}`);
    expect(await issuesOf([...long, 7, ...long])).toMatchObject([{ path: ["to", 12_000], type: "string_type" }]);
  });

  test("more than a million users are refused before any is looked at", async () => {
    expect(await issuesOf(new Array(1_000_001))).toMatchObject([{ path: ["to"], type: "too_long" }]);
  });

  test("a long list is sorted as a short one is, and each user is in it once", async () => {
    // The last two sort otherwise by bytes than in JavaScript.
    const names = ["user", "\u00fc", "\u{1f600}", "\uff61"];
    const numbers = Array.from({ length: 8_000 }, (_, index) => (index * 7_919) % 8_000);
    const users = names.flatMap((name) => numbers.map((number) => `${name}${number}`));
    const parsed = await parseRecipients([...users, ...users.slice(3_000, 30_000)]);
    expect(parsed).toEqual({ recipients: users.toSorted(compareBytewise) });
  });

  const numbered = (count: number, of: (index: number) => number) =>
    Array.from({ length: count }, (_, index) => `user_${String(of(index)).padStart(6, "0")}`);
  test.each([
    ["in random order", numbered(60_000, (index) => (index * 7_919) % 60_000)],
    ["sorted", numbered(60_000, (index) => index)],
    ["the other way round", numbered(60_000, (index) => 60_000 - index)],
    ["few users, often", numbered(60_000, (index) => index % 7)],
    ["one user", numbered(60_000, () => 1)],
    // Nobody of the users between is in the sample by which the list is cut.
    ["most between two of a sample", numbered(60_000, (index) => (index % 625 === 0 ? index % 2 : 1 + ((index * 7_919) % 60_000)))],
  ])("a long list is sorted, and each user is in it once, whatever its order: %s", async (_, to) => {
    expect(await parseRecipients(to)).toEqual({ recipients: [...new Set(to)].sort() });
  });

  test("others have their turns while a long list is looked at, and may change the caller's own", async () => {
    const to = Array.from({ length: 20_000 }, (_, index) => `user_${String(index).padStart(5, "0")}`).toReversed();
    const expected = to.toReversed();
    const counted = countTurns();
    const parsing = parseRecipients(to);
    to.length = 0;
    expect(await parsing).toEqual({ recipients: expected });
    expect(counted()).toBeGreaterThan(0);
  });

  test("users are left out of a long list as of a short one, and others have their turns meanwhile", async () => {
    const users = Array.from({ length: 20_000 }, (_, index) => `user_${index}`);
    const left = new Set(["user_0", "user_7", "user_19999", "nobody"]);
    const expected = users.filter((userId) => !left.has(userId));
    const counted = countTurns();
    expect(await leaveOut(users, left)).toEqual(expected);
    expect(counted()).toBeGreaterThan(0);
    expect(leaveOut(users.slice(0, 9), left)).toEqual(expected.slice(0, 7));
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
