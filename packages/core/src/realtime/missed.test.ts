import { describe, expect, test } from "vitest";
import type { InboxStorage, LoggedChange } from "../inbox/index.ts";
import { readMissed } from "./missed.ts";

const COUNTS = { total: 1_000, unread: 0, unseen: 0, lastSeq: 1_000, epoch: "e" };

/** An inbox whose first changes have a thousand items each. */
function inboxWith(changes: number): InboxStorage {
  const change = {
    lastSeq: 1_000,
    kind: "seen",
    openUntil: null,
    at: new Date(),
    until: null,
    ranges: [[1, 1_000]],
    count: 1_000,
    upToSeq: null,
    group: null,
  } as const;
  const inbox: Partial<InboxStorage> = {
    changesAfter: async (_, rev, limit) => {
      const all = Array.from({ length: changes }, (__, at): LoggedChange => ({ ...change, rev: at + 1, firstRev: at + 1 }));
      return { changes: all.filter((one) => one.rev > rev).slice(0, limit), counts: { ...COUNTS, rev: changes } };
    },
  };
  return inbox as InboxStorage;
}

describe("changes that were missed", () => {
  const read = (changes: number) =>
    readMissed({ inbox: inboxWith(changes), owner: { tenant: "acme", userId: "ann" } }, { seq: 1_000, epoch: "e", rev: 0 });

  test("are told whole", async () => {
    expect(await read(10)).toMatchObject({ told: { length: 10 }, position: { rev: 10 }, isAll: true });
  });

  test("count as lost when they have too many items to read one by one", async () => {
    expect(await read(11)).toMatchObject({ lost: "changes", counts: { rev: 11 } });
  });
});
