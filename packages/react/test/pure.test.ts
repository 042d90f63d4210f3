import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { rowsOf } from "../src/inbox/rows.ts";
import { safeUrl } from "../src/inbox/safe-url.ts";
import { enPreferences } from "../src/preferences/en-preferences.ts";
import { en } from "../src/texts/en.ts";
import { loadTexts } from "../src/texts/load-texts.ts";
import { plural } from "../src/texts/plural.ts";
import { relativeTime, timeAhead } from "../src/time/relative-time.ts";
import { snoozeChoices } from "../src/time/snooze-choices.ts";
import { item } from "./items.ts";

describe("links", () => {
  test.each([
    "/posts/7",
    "posts/7",
    "?a=1",
    "#here",
    "https://example.com/x",
    "HTTP://example.com",
    "mailto:ann@example.com",
    "//example.com/x",
  ])("%s becomes a link", (url) => expect(safeUrl(url)).toBe(url));

  test.each([
    "javascript:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "\u0001javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "blob:https://example.com/1",
    "file:///etc/passwd",
    "intent://x",
    "https://[",
  ])("%j becomes none", (url) => expect(safeUrl(url)).toBeNull());
});

describe("times", () => {
  const now = Date.parse("2026-11-29T12:00:00Z");
  const MINUTE = 60_000;
  test.each([
    [0, "now"],
    [-5_000, "now"],
    [5 * MINUTE, "5m ago"],
    [3 * 60 * MINUTE, "3h ago"],
    [24 * 60 * MINUTE, "yesterday"],
    [6 * 24 * 60 * MINUTE, "6d ago"],
    [8 * 24 * 60 * MINUTE, "Nov 21"],
    [400 * 24 * 60 * MINUTE, "Oct 25, 2025"],
  ])("of an age of %d ms are told as %s", (age, told) => expect(relativeTime(now - age, now, "en")).toBe(told));

  test("are told in the language of the inbox", () => {
    expect(relativeTime(now - 5 * MINUTE, now, "de")).toBe("vor 5 m");
    expect(timeAhead(now + 48 * 60 * MINUTE, now, "de")).toContain("Dez");
  });

  test("an item can be put off until this evening only if that is more than an hour ahead", () => {
    const at = (hour: number) =>
      snoozeChoices(new Date(2026, 10, 27, hour), en).map(({ label, until }) => [label, until.getDate(), until.getHours()]);
    expect(at(10)).toEqual([
      ["In an hour", 27, 11],
      ["This evening", 27, 18],
      ["Tomorrow", 28, 9],
      ["Next week", 30, 9],
    ]);
    expect(at(17).map(([label]) => label)).toEqual(["In an hour", "Tomorrow", "Next week"]);
  });
});

describe("texts", () => {
  const files = readdirSync(new URL("../src/texts/locales", import.meta.url));

  test.each(files)("%s has every text, with the same places", async (file) => {
    const texts = await loadTexts(file.replace(".ts", "-XX"));
    expect(texts?.locale).toBe(file.replace(".ts", "-XX"));
    const { preferences, ...inbox } = texts ?? en;
    expect(Object.keys(inbox).sort()).toEqual(Object.keys(en).sort());
    expect(Object.keys(preferences ?? {}).sort()).toEqual(Object.keys(enPreferences).sort());
    expect(inbox.snoozedUntil).toContain("{time}");
    expect(preferences?.pausedUntil).toContain("{time}");
    for (const texts of [inbox.bell, inbox.newItems, inbox.arrived, inbox.moreInGroup, inbox.pending]) {
      expect(texts.other).toContain("{n}");
    }
  });

  test("English is built in, and stands in for languages that there are no texts of", async () => {
    expect(await loadTexts("en-GB")).toBeNull();
    expect(await loadTexts("tlh")).toBeNull();
  });

  test("numbers and plurals are those of the language", async () => {
    expect(plural("en", en.arrived, 1)).toBe("1 new notification");
    expect(plural("en", en.arrived, 1200)).toBe("1,200 new notifications");
    const arabic = await loadTexts("ar");
    expect(plural("ar", arabic?.arrived ?? en.arrived, 2)).toBe("وصل إشعاران جديدان");
  });
});

describe("rows", () => {
  const items = [item(5), item(4, { group: "a" }), item(3), item(2, { group: "a" }), item(1, { group: "a" })];
  const seqs = (input: Partial<Parameters<typeof rowsOf>[0]>) =>
    rowsOf({ items, top: [], newestShown: 5, unfolded: new Set(), ...input }).map((row) => [row.item.seq, row.folded.length]);

  test("fold older items of a group behind its newest", () => {
    expect(seqs({})).toEqual([
      [5, 0],
      [4, 2],
      [3, 0],
    ]);
    expect(seqs({ unfolded: new Set(["a"]) }).map(([seq]) => seq)).toEqual([5, 4, 2, 1, 3]);
  });

  test("leave out what is newer than what is on show", () => {
    expect(seqs({ newestShown: 3 })).toEqual([
      [3, 0],
      [2, 1],
    ]);
  });

  test("show what belongs to the top once, before everything", () => {
    expect(seqs({ top: [item(1, { group: "a" })], newestShown: 4 })).toEqual([
      [1, 0],
      [4, 1],
      [3, 0],
    ]);
  });
});
