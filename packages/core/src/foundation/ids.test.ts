import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { derivedUuid, isUuid, uuidTimeMs, uuidV7 } from "./ids.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("uuidV7", () => {
  test("ids have the form of RFC 9562 and carry the time in their first 48 bits", () => {
    const ids = uuidV7({ now: () => 0x0192_3456_789a, after: () => () => {} });
    const id = ids.next();
    expect(id).toMatch(UUID_V7);
    expect(id.startsWith("01923456-789a-")).toBe(true);
  });

  test("ids always grow, however the clock moves and however many are made in a millisecond", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: 1, max: 5_000 })), { maxLength: 8 }), (steps) => {
        let nowMs = 1_800_000_000_000;
        const ids = uuidV7({ now: () => nowMs, after: () => () => {} });
        let last = "";
        for (const [moveMs, count] of steps) {
          nowMs += moveMs;
          for (let made = 0; made < count; made += 1) {
            const id = ids.next();
            expect(id > last).toBe(true);
            last = id;
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test("two generators at the same moment do not make the same id", () => {
    const clock = { now: () => 1, after: () => () => {} };
    const made = [uuidV7(clock), uuidV7(clock)].flatMap((ids) => Array.from({ length: 1_000 }, () => ids.next()));
    expect(new Set(made).size).toBe(2_000);
  });
});

describe("isUuid", () => {
  test.each(["01923456-789a-7abc-8def-0123456789ab", "550E8400-E29B-41D4-A716-446655440001"])("%s is one", (text) => {
    expect(isUuid(text)).toBe(true);
  });

  test.each([
    "",
    "42",
    "01923456789a7abc8def0123456789ab",
    "01923456-789a-7abc-8def-0123456789ab\n",
    "g1923456-789a-7abc-8def-0123456789ab",
  ])("%j is none", (text) => {
    expect(isUuid(text)).toBe(false);
  });
});

describe("derivedUuid", () => {
  test("the same id and seed give the same UUIDv7, with the time of the id; another seed gives another one", async () => {
    const id = uuidV7({ now: () => 0x0192_3456_789a, after: () => () => {} }).next();
    const derived = await derivedUuid(id, "1");
    expect(derived).toMatch(UUID_V7);
    expect(uuidTimeMs(derived)).toBe(0x0192_3456_789a);
    expect(await derivedUuid(id, "1")).toBe(derived);
    expect(await derivedUuid(id, "2")).not.toBe(derived);
  });
});
