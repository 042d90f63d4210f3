import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOfText, ContentCache, type InboxVersion } from "./content-cache.ts";
import { EMPTY_COUNTS } from "./inbox-item.ts";

const owner = (userId: string) => ({ tenant: "acme", userId });
const version = (rev: number, contentToken: number | null = null): InboxVersion => ({
  counts: { ...EMPTY_COUNTS, epoch: "0123456789ab", rev },
  contentToken,
});

/** Asks until the cache wants to know more. */
function askedTwice(cache: ContentCache, userId: string, question: string): boolean {
  return cache.isWorthwhile(owner(userId), question) || cache.isWorthwhile(owner(userId), question);
}

describe("content cache", () => {
  test("a question is worthwhile when it comes again, and once something is kept for it", () => {
    const cache = new ContentCache(100_000);
    expect(cache.isWorthwhile(owner("ann"), "list")).toBe(false);
    expect(cache.isWorthwhile(owner("bob"), "list")).toBe(false);
    expect(cache.isWorthwhile(owner("ann"), "list")).toBe(true);
    expect(cache.isWorthwhile(owner("ann"), "another list")).toBe(false);
    cache.keep(owner("ann"), "third list", { version: version(1), value: "third", bytes: 5 });
    expect(cache.isWorthwhile(owner("ann"), "third list")).toBe(true);
  });

  test("what was kept counts at its version alone", () => {
    const changes: readonly InboxVersion[] = [
      version(2),
      version(1, 7),
      { ...version(1), counts: { ...version(1).counts, lastSeq: 1 } },
      { ...version(1), counts: { ...version(1).counts, epoch: "ba9876543210" } },
      { ...version(1), counts: { ...version(1).counts, unread: 1 } },
      { ...version(1), counts: { ...version(1).counts, dueAt: new Date(0) } },
    ];
    for (const changed of changes) {
      const cache = new ContentCache(100_000);
      cache.keep(owner("ann"), "list", { version: version(1), value: "kept", bytes: 4 });
      expect(cache.find(owner("ann"), "list", version(1))).toBe("kept");
      expect(cache.find(owner("ann"), "list", changed)).toBeUndefined();
      expect(cache.bytes).toBe(0);
    }
  });

  test("no two inboxes are taken for one another", () => {
    const cache = new ContentCache(100_000);
    cache.keep({ tenant: "a", userId: "bc" }, "list", { version: version(1), value: "kept", bytes: 4 });
    expect(cache.find({ tenant: "ab", userId: "c" }, "list", version(1))).toBeUndefined();
    expect(cache.find({ tenant: "a", userId: "bc" }, "list", version(1))).toBe("kept");
  });

  test("it never takes more than it may, whatever is put in, and nothing once all is forgotten", () => {
    const step = fc.record({
      user: fc.constantFrom("a", "b", "c", "d"),
      question: fc.string({ maxLength: 30 }),
      rev: fc.nat(2),
      bytes: fc.oneof(fc.nat(20_000), fc.constantFrom(Number.POSITIVE_INFINITY, Number.NaN)),
      verb: fc.constantFrom("keep", "keep", "keep", "find", "forget"),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.nat(100_000), (steps, most) => {
        const cache = new ContentCache(most);
        for (const { user, question, rev, bytes, verb } of steps) {
          if (verb === "keep") {
            cache.keep(owner(user), question, { version: version(rev), value: question, bytes });
          } else if (verb === "find") {
            expect([undefined, question]).toContain(cache.find(owner(user), question, version(rev)));
          } else {
            cache.forget(owner(user));
          }
          expect(cache.bytes).toBeGreaterThanOrEqual(0);
          expect(cache.bytes).toBeLessThanOrEqual(most);
        }
        for (const user of ["a", "b", "c", "d"]) {
          cache.forget(owner(user));
        }
        expect(cache.bytes).toBe(0);
      }),
    );
  });

  test("the inboxes that were asked for longest ago go first", () => {
    const cache = new ContentCache(80_000);
    for (let at = 0; at < 8; at += 1) {
      cache.keep(owner(`user ${at}`), "list", { version: version(1), value: at, bytes: 8_000 });
    }
    expect(cache.find(owner("user 0"), "list", version(1))).toBe(0);
    for (let at = 8; at < 12; at += 1) {
      cache.keep(owner(`user ${at}`), "list", { version: version(1), value: at, bytes: 8_000 });
    }
    expect(cache.find(owner("user 0"), "list", version(1))).toBe(0);
    expect(cache.find(owner("user 1"), "list", version(1))).toBeUndefined();
  });

  test("a full one takes in few new questions", () => {
    const cache = new ContentCache(80_000);
    for (let at = 0; cache.bytes < 72_000; at += 1) {
      cache.keep(owner(`user ${at}`), "list", { version: version(1), value: at, bytes: 7_000 });
    }
    const worthwhile = Array.from({ length: 1_600 }, (_, at) => askedTwice(cache, `another ${at}`, "list")).filter(Boolean);
    expect(worthwhile.length).toBeLessThanOrEqual(110);
    expect(worthwhile.length).toBeGreaterThan(0);
  });

  test("one of no bytes is never asked", () => {
    const cache = new ContentCache(0);
    expect(askedTwice(cache, "ann", "list")).toBe(false);
    cache.keep(owner("ann"), "list", { version: version(1), value: "kept", bytes: 0 });
    expect(cache.bytes).toBe(0);
  });

  test("a text takes a byte a character, or two", () => {
    expect(bytesOfText("naïve") - bytesOfText("")).toBe(5);
    expect(bytesOfText("Zürich → Łódź") - bytesOfText("")).toBe(26);
  });
});
