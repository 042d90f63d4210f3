import { describe, expect, it } from "vitest";
import { cutToSegments, smsSegments } from "../src/sms-segments.ts";

describe("smsSegments", () => {
  it.each([
    ["", "gsm7", 0],
    ["a".repeat(160), "gsm7", 1],
    ["a".repeat(161), "gsm7", 2],
    ["a".repeat(306), "gsm7", 2],
    ["a".repeat(307), "gsm7", 3],
    // A character behind an escape has the room of two, and is never torn apart.
    ["€".repeat(80), "gsm7", 1],
    ["€".repeat(81), "gsm7", 2],
    [`${"a".repeat(152)}€${"a".repeat(153)}`, "gsm7", 3],
    ["ü".repeat(160), "gsm7", 1],
    ["ł", "ucs2", 1],
    ["я".repeat(70), "ucs2", 1],
    ["я".repeat(71), "ucs2", 2],
    ["🎐".repeat(35), "ucs2", 1],
    ["🎐".repeat(36), "ucs2", 2],
    // 67 units have room for 33 of them.
    ["🎐".repeat(67), "ucs2", 3],
  ] as const)("counts %j as %s in %i", (text, encoding, count) => {
    expect(smsSegments(text)).toEqual({ encoding, count });
  });

  it("cuts to a number of parts, and not inside of a character", () => {
    expect(cutToSegments("a".repeat(306), 2)).toBe("a".repeat(306));
    expect(cutToSegments("a".repeat(400), 1)).toBe(`${"a".repeat(157)}...`);
    const cut = cutToSegments("🎐".repeat(100), 2);
    expect([smsSegments(cut), cut.endsWith("🎐..."), cut.isWellFormed()]).toEqual([{ encoding: "ucs2", count: 2 }, true, true]);
    // What was cut off was all that needed the wider encoding.
    expect(smsSegments(cutToSegments(`${"a".repeat(200)}🎐`, 1))).toEqual({ encoding: "gsm7", count: 1 });
  });
});
