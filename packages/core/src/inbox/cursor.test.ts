import fc from "fast-check";
import { expect, test } from "vitest";
import { type CursorScope, decodeCursor, encodeCursor } from "./cursor.ts";

const scope: CursorScope = { owner: { tenant: "t", userId: "u" }, status: "all", type: undefined, epoch: "e1" };

test("a cursor leads back to its position", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (seq) => {
      expect(decodeCursor(encodeCursor(seq, scope), scope)).toBe(seq);
    }),
  );
});

test("a cursor of another inbox, numbering or filter is refused", () => {
  const cursor = encodeCursor(42, scope);
  const others: Partial<CursorScope>[] = [
    { owner: { tenant: "t", userId: "v" } },
    { owner: { tenant: "s", userId: "u" } },
    { epoch: "e2" },
    { status: "unread" },
    { type: "comment" },
  ];
  for (const other of others) {
    expect(decodeCursor(cursor, { ...scope, ...other })).toBeNull();
  }
});

test("an edited cursor is refused", () => {
  fc.assert(
    fc.property(fc.nat(), fc.string(), fc.nat(20), (seq, inserted, at) => {
      const cursor = encodeCursor(seq, scope);
      const edited = cursor.slice(0, at) + inserted + cursor.slice(at + 1);
      fc.pre(edited !== cursor);
      expect(decodeCursor(edited, scope)).toBeNull();
    }),
  );
});
