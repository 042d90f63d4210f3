import type { Owner } from "@belfry/core";
import { type ChangeKey, type InboxStorage, MATCHED_AT_ONCE } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, range, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { sweepAll } from "../steps.ts";

const KEY: ChangeKey = { key: "k 1", bodyHash: "hash" };
const REUSED = { code: "IDEMPOTENCY_KEY_REUSED" };
const ALL = { at: at(1), places: ["active"], filter: {}, after: 0, upTo: Number.MAX_SAFE_INTEGER } as const;

/** The changes that may have a key, each of an inbox with three items. */
const CHANGES: Readonly<Record<string, (inbox: InboxStorage, owner: Owner, key?: ChangeKey) => Promise<unknown>>> = {
  mark: (inbox, owner, key) => inbox.mark(owner, [{ seq: 1 }, { seq: 2 }, { seq: 9 }], { mark: "archived", at: at(1), key }),
  markAllRead: (inbox, owner, key) => inbox.markAllRead(owner, at(1), { key }),
  markAllSeen: (inbox, owner, key) => inbox.markAllSeen(owner, at(1), { key }),
  changeMatching: (inbox, owner, key) => inbox.changeMatching(owner, { ...ALL, mark: "read", upTo: 2, key }),
  removeRead: (inbox, owner, key) => inbox.changeMatching(owner, { ...ALL, mark: "deleted_read", key }),
};
const FOUND = { mark: 2, markAllRead: 2, markAllSeen: 2, changeMatching: 1, removeRead: 1 };

/** Changes that are made once for a key. */
export function keyedChangeTests(harness: StorageHarness): void {
  describe("changes with a key", () => {
    const fixture = useFixture(harness);
    const filled = async (userId: string) => {
      const owner = fixture.owner(userId);
      await fixture.fill(userId, 3);
      await fixture.inbox.markRead(owner, [{ seq: 1 }], at(0));
      return owner;
    };

    test.each(Object.entries(FOUND))(
      "%s: the key is noted with it, and another change with the key changes nothing",
      async (name, found) => {
        const { inbox } = fixture;
        const [ann, bob] = [await filled("ann"), await filled("bob")];
        const change = CHANGES[name] as (typeof CHANGES)[string];
        expect(await inbox.changeWithKey(ann, KEY.key)).toBeNull();
        await change(inbox, ann, KEY);
        expect(await inbox.changeWithKey(ann, KEY.key)).toEqual({ bodyHash: "hash", count: found });
        await inbox.mark(
          ann,
          range(1, 3).map((seq) => ({ seq })),
          { mark: "unarchived", at: at(2) },
        );
        await inbox.mark(
          ann,
          range(1, 3).map((seq) => ({ seq })),
          { mark: "unread", at: at(2) },
        );
        await fixture.fill("ann", 1);
        const before = await inbox.counts(ann);
        for (const [again, use] of Object.entries(CHANGES)) {
          if (again !== "removeRead") {
            await expect(use(inbox, ann, KEY)).rejects.toMatchObject(REUSED);
          }
        }
        expect(await inbox.counts(ann)).toEqual(before);
        expect(await inbox.changeWithKey(bob, KEY.key)).toBeNull();
        await change(inbox, bob, KEY);
        expect(await inbox.changeWithKey(bob, KEY.key)).toEqual({ bodyHash: "hash", count: found });
      },
    );

    test("one that changes nothing notes no key, and a key goes with the line of the log that has it", async () => {
      const { inbox } = fixture;
      const owner = await filled("ann");
      await inbox.mark(owner, [{ seq: 1 }], { mark: "read", at: at(1), key: KEY });
      expect(await inbox.changeWithKey(owner, KEY.key)).toBeNull();
      await inbox.mark(owner, [{ seq: 2 }], { mark: "read", at: at(1), key: KEY });
      expect(await inbox.changeWithKey(owner, KEY.key)).toEqual({ bodyHash: "hash", count: 1 });
      await sweepAll((after) => inbox.sweepChanges(at(5), { after, limit: 300 }));
      expect(await inbox.changeWithKey(owner, KEY.key)).toBeNull();
    });

    test("of several at once, one takes effect", async () => {
      const { inbox } = fixture;
      const owner = fixture.owner("ann");
      await fixture.fill("ann", 3);
      const calls = range(1, 8).map((hour) => {
        // A later snooze of the same items is a change, too.
        return inbox.mark(owner, [{ seq: 1 }], {
          mark: "snoozed",
          at: at(1),
          until: at(3_600 * hour),
          places: ["active", "snoozed"],
          key: KEY,
        });
      });
      const settled = await Promise.allSettled(calls);
      const reasons = settled.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
      expect(reasons).toEqual(Array(7).fill(REUSED.code));
      expect(await inbox.counts(owner)).toMatchObject({ total: 2, rev: 1 });
    });

    test("of a call in steps, the last one notes it, on the line of the step before if it changed nothing", async () => {
      const { inbox } = fixture;
      const owner = fixture.owner("ann");
      await fixture.fill("ann", 4);
      const step = { mark: "read", at: at(1), openUntil: at(60) } as const;
      const first = await inbox.mark(owner, [{ seq: 1 }, { seq: 2 }], { ...step, key: KEY });
      expect(await inbox.changeWithKey(owner, KEY.key)).toBeNull();
      const last = { mark: "read", at: at(1), continues: first.counts.rev, key: { ...KEY, countBefore: 2 } } as const;
      await inbox.mark(owner, [{ seq: 2 }], last);
      expect(await inbox.changeWithKey(owner, KEY.key)).toEqual({ bodyHash: "hash", count: 3 });
      const other = { ...KEY, key: "other" };
      const matching = { ...ALL, mark: "seen", continues: first.counts.rev, key: other } as const;
      expect(await inbox.changeMatching(owner, matching)).toMatchObject({ changed: 2, next: null });
      expect(await inbox.changeWithKey(owner, "other")).toEqual({ bodyHash: "hash", count: 2 });
    });

    test("of a call whose steps go by the moment of the first, that one notes it with the moment until the last is made", async () => {
      const { inbox } = fixture;
      const owner = fixture.owner("ann");
      await fixture.fill("ann", MATCHED_AT_ONCE + 2);
      await inbox.markRead(owner, [{ seq: 1 }, { seq: 2 }, { seq: MATCHED_AT_ONCE + 1 }], at(0));
      const step = { ...ALL, mark: "archived", filter: { isRead: true }, key: KEY } as const;
      const first = await inbox.changeMatching(owner, step);
      expect(first).toMatchObject({ count: 2, found: 2, next: MATCHED_AT_ONCE });
      const begun = { bodyHash: "hash", count: 2, begun: first.asOf };
      expect(await inbox.changeWithKey(owner, KEY.key)).toEqual(begun);
      await inbox.markRead(owner, [{ seq: MATCHED_AT_ONCE + 2 }], at(0));
      await expect(inbox.changeMatching(owner, step)).rejects.toMatchObject(REUSED);
      await expect(inbox.markAllSeen(owner, at(1), { key: KEY })).rejects.toMatchObject(REUSED);
      const other = { ...step, asOf: first.asOf, key: { ...KEY, bodyHash: "other" } };
      await expect(inbox.changeMatching(owner, other)).rejects.toMatchObject(REUSED);
      expect(await inbox.changeWithKey(owner, KEY.key)).toEqual(begun);
      const last = { ...step, after: first.next ?? 0, asOf: first.asOf };
      expect(await inbox.changeMatching(owner, last)).toMatchObject({ count: 1, found: 3, next: null });
      expect(await inbox.changeWithKey(owner, KEY.key)).toEqual({ bodyHash: "hash", count: 3 });
      await expect(inbox.changeMatching(owner, last)).rejects.toMatchObject(REUSED);
    });
  });
}
