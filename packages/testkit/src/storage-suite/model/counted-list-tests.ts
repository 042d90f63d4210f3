import type { Owner } from "@belfry/core";
import type { InboxPage, InboxQuery, ItemMarking, Storage } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, type Fixture, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

/** The lists that are counted before each change. */
const LISTS: readonly Omit<InboxQuery, "limit">[] = [
  { status: "all", type: "note" },
  { status: "unread", type: "note" },
  { status: "read", type: "alert" },
  { status: "all", roomId: "blue" },
  { status: "all", place: "archived" },
  { status: "all", place: "snoozed" },
  { status: "all", offset: 7 },
  { status: "all", offset: 12 },
  { status: "unread", type: "alert", before: 14 },
  { status: "all", filter: { priorities: ["urgent"] } },
  { status: "unread", filter: { priorities: ["urgent", "low"] } },
  { status: "read", filter: { priorities: ["normal"] }, before: 17 },
  { status: "all", type: "note", filter: { priorities: ["normal"] }, offset: 3 },
];

/** The types of all items: a condition that changes nothing. */
const ANY_TYPE = ["note", "alert"];

interface Change {
  readonly storage: Storage;
  readonly owner: Owner;
  readonly fixture: Fixture;
}

const refsOf = (seqs: readonly number[]) => seqs.map((seq) => ({ seq }));

/** A change of some items by a mark. */
const marking =
  (marking: ItemMarking, ...seqs: readonly number[]) =>
  ({ storage, owner }: Change) =>
    storage.inbox.mark(owner, refsOf(seqs), marking);

async function eraseAll(storage: Storage, owner: Owner): Promise<void> {
  while (!(await storage.inbox.erase(owner, 1_000)).isDone) {
    // A step more.
  }
}

/** A change of what matches. */
const STEP = { at: at(200), places: ["active"], after: 4, upTo: 18 } as const;

/** Every kind of change, by its name. */
const CHANGES: Readonly<Record<string, (change: Change) => unknown>> = {
  "new items": ({ storage, fixture }) => storage.inbox.createMany([1, 2, 3].map(() => fixture.entry("ann", { data: { room_id: "blue" } }))),
  "an item in the place of another": ({ storage, fixture }) => storage.inbox.createMany([fixture.entry("ann", { replaceKey: "key" })]),
  "marks of single items": async (change) => {
    await change.storage.inbox.markRead(change.owner, refsOf([2, 9, 11]), at(200));
    await change.storage.inbox.markUnread(change.owner, refsOf([10]), at(201));
  },
  "deleted items": ({ storage, owner }) => storage.inbox.remove(owner, refsOf([1, 12, 20]), at(200)),
  "archived items": marking({ mark: "archived", at: at(200) }, 3, 17),
  "items that are archived no more": marking({ mark: "unarchived", at: at(200) }, 5, 6),
  "snoozed items": marking({ mark: "snoozed", at: at(200), until: at(300) }, 3, 17),
  "items that wake": ({ storage, owner }) => storage.inbox.applyDue(owner, at(10_000)),
  "a read inbox": ({ storage, owner }) => storage.inbox.markAllRead(owner, at(200)),
  "a seen inbox": ({ storage, owner }) => storage.inbox.markAllSeen(owner, at(200)),
  "deleted read items": ({ storage, owner }) => storage.inbox.changeMatching(owner, { ...STEP, mark: "deleted_read", filter: {} }),
  "a change of what matches": ({ storage, owner }) =>
    storage.inbox.changeMatching(owner, { ...STEP, mark: "read", filter: { types: ["note"] } }),
  "steps of one call": async ({ storage, owner }) => {
    const { counts } = await storage.inbox.mark(owner, refsOf([1, 2]), { mark: "deleted", at: at(200), openUntil: at(210) });
    await storage.inbox.mark(owner, refsOf([19]), { mark: "deleted", at: at(200), continues: counts.rev });
  },
  "items whose time is over": async ({ storage }) => {
    const kept = { at: at(90_000), readBefore: at(80_000), unreadBefore: at(80_000), types: {} };
    for (let after: string | null | undefined; after !== null; ) {
      const { next } = await storage.inbox.sweep(kept, { after: after ?? null, limit: 1_000 });
      after = next;
    }
  },
  "an inbox that is gone": ({ storage, owner }) => eraseAll(storage, owner),
  "another inbox in its place": async ({ storage, owner, fixture }) => {
    await eraseAll(storage, owner);
    await storage.inbox.createMany([fixture.entry("ann"), fixture.entry("ann", { type: "alert" })]);
  },
  "a new epoch": ({ storage }) => storage.inbox.renewEpochs(),
  "very many changes of few items": async ({ storage, owner }) => {
    for (let turn = 0; turn < 101; turn += 1) {
      await storage.inbox.markRead(owner, refsOf([turn === 100 ? 3 : 2]), at(turn));
      await storage.inbox.markUnread(owner, refsOf([2]), at(turn));
    }
  },
};

/** Lists that a process has counted stay right, whoever changes their inbox. */
export function countedListTests(harness: StorageHarness): void {
  describe("lists that were counted", () => {
    const fixture = useFixture(harness);

    async function fill(owner: Owner): Promise<void> {
      const either = <Value>(is: boolean, value: Value, other: Value) => (is ? value : other);
      const entries = Array.from({ length: 20 }, (_, index) =>
        fixture.entry("ann", {
          type: either(index % 3 === 0, "alert", "note"),
          priority: either(index % 4 === 0, "urgent", "normal"),
          data: { room_id: either(index % 2 === 0, "blue", "red") },
          replaceKey: either(index === 13, "key", null),
        }),
      );
      await fixture.inbox.createMany(entries);
      await fixture.inbox.markRead(owner, refsOf([4, 10, 16]), at(100));
      await fixture.inbox.mark(owner, refsOf([5, 6]), { mark: "archived", at: at(101) });
      await fixture.inbox.mark(owner, refsOf([7, 8]), { mark: "snoozed", at: at(102), until: at(150) });
    }

    /** The page, of a list that is not counted: any other filter has all items looked at, one by one. */
    async function lookedThrough(owner: Owner, query: InboxQuery): Promise<InboxPage> {
      const { more, ...page } = await fixture.inbox.list(owner, { ...query, filter: { ...query.filter, types: ANY_TYPE } });
      return query.filter === undefined ? page : { ...page, more: more ?? false };
    }

    async function expectRight(owner: Owner): Promise<void> {
      for (const list of LISTS) {
        for (const limit of [2, 50]) {
          const expected = await lookedThrough(owner, { ...list, limit });
          expect({ list, ...(await fixture.inbox.list(owner, { ...list, limit })) }).toEqual({ list, ...expected });
        }
      }
    }

    test("are of one moment, whatever changes while they are counted", async () => {
      const owner = fixture.owner("ann");
      await fill(owner);
      const query = { status: "unread", type: "note", limit: 50 } as const;
      const changes = [
        () => fixture.inbox.markRead(owner, refsOf([2]), at(200)),
        () => fixture.inbox.createMany([fixture.entry("ann")]),
        () => fixture.inbox.markAllRead(owner, at(201)),
        () => fixture.inbox.markUnread(owner, refsOf([2, 20]), at(202)),
      ];
      for (const change of changes) {
        // The new epoch has all counted from the beginning.
        await fixture.inbox.renewEpochs();
        const before = await lookedThrough(owner, query);
        const listing = fixture.inbox.list(owner, query);
        await change();
        expect([before, await lookedThrough(owner, query)]).toContainEqual(await listing);
        await expectRight(owner);
      }
    });

    test.each(Object.entries(CHANGES))("know of %s", async (_, change) => {
      const owner = fixture.owner("ann");
      await fill(owner);
      await expectRight(owner);
      const another = await fixture.subject.another?.();
      try {
        await change({ storage: another ?? fixture.storage, owner, fixture });
        await expectRight(owner);
      } finally {
        await another?.close();
      }
    });
  });
}
