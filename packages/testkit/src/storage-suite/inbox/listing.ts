import type { Owner } from "@belfry/core";
import { type InboxQuery, storedItem } from "@belfry/core/storage";
import { beforeEach, describe, expect, test } from "vitest";
import { at, itemOf, range, seqsOf, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

/** The promises of `list` and `listAfter`. */
export function listingTests(harness: StorageHarness): void {
  describe("listing", () => {
    const fixture = useFixture(harness);
    let owner: Owner;

    /** 1 to 12, of which 3, 6, 9 and 12 are of type `alert`, 2, 3 and 4 are read and 7 and 9 are deleted. */
    beforeEach(async () => {
      owner = fixture.owner("ann");
      await fixture.inbox.createMany(range(1, 12).map((seq) => fixture.entry("ann", { type: seq % 3 === 0 ? "alert" : "note" })));
      await fixture.inbox.markRead(owner, [{ seq: 2 }, { seq: 3 }, { seq: 4 }], at(100));
      await fixture.inbox.remove(owner, [{ seq: 7 }, { seq: 9 }], at(101));
      // Neighbours whose items must not show.
      await fixture.create(["anna", "bob"]);
    });

    const lists: readonly [name: string, query: InboxQuery, seqs: readonly number[], matching: number][] = [
      ["everything, newest first", { status: "all", limit: 50 }, [12, 11, 10, 8, 6, 5, 4, 3, 2, 1], 10],
      ["the newest three", { status: "all", limit: 3 }, [12, 11, 10], 10],
      ["none", { status: "all", limit: 0 }, [], 10],
      ["unread ones", { status: "unread", limit: 50 }, [12, 11, 10, 8, 6, 5, 1], 7],
      ["unread ones, two", { status: "unread", limit: 2 }, [12, 11], 7],
      ["read ones", { status: "read", limit: 50 }, [4, 3, 2], 3],
      ["read ones, two", { status: "read", limit: 2 }, [4, 3], 3],
      ["one type", { status: "all", type: "alert", limit: 50 }, [12, 6, 3], 3],
      ["one type, unread", { status: "unread", type: "alert", limit: 50 }, [12, 6], 2],
      ["one type, read", { status: "read", type: "alert", limit: 50 }, [3], 1],
      ["the other type, read", { status: "read", type: "note", limit: 50 }, [4, 2], 2],
      ["a type nobody used", { status: "all", type: "none", limit: 50 }, [], 0],
      ["a type in other case", { status: "all", type: "Alert", limit: 50 }, [], 0],
      ["before a number", { status: "all", before: 8, limit: 3 }, [6, 5, 4], 10],
      ["before a deleted number", { status: "all", before: 9, limit: 3 }, [8, 6, 5], 10],
      ["before 1", { status: "all", before: 1, limit: 3 }, [], 10],
      ["before a number beyond the end", { status: "all", before: Number.MAX_SAFE_INTEGER, limit: 2 }, [12, 11], 10],
      ["unread before a number", { status: "unread", before: 6, limit: 50 }, [5, 1], 7],
      ["read before a number", { status: "read", before: 4, limit: 1 }, [3], 3],
      ["one type before a number", { status: "all", type: "alert", before: 12, limit: 50 }, [6, 3], 3],
      ["one type, unread, before a number", { status: "unread", type: "note", before: 10, limit: 2 }, [8, 5], 5],
      ["an offset", { status: "all", offset: 2, limit: 3 }, [10, 8, 6], 10],
      ["an offset of 0", { status: "all", offset: 0, limit: 1 }, [12], 10],
      ["an offset to the last", { status: "all", offset: 9, limit: 3 }, [1], 10],
      ["an offset beyond the end", { status: "all", offset: 10, limit: 3 }, [], 10],
      ["a huge offset", { status: "unread", offset: Number.MAX_SAFE_INTEGER, limit: 3 }, [], 7],
      ["unread with an offset", { status: "unread", offset: 4, limit: 2 }, [6, 5], 7],
      ["read with an offset", { status: "read", offset: 1, limit: 5 }, [3, 2], 3],
      ["one type with an offset", { status: "all", type: "alert", offset: 1, limit: 1 }, [6], 3],
    ];

    test.each(lists)("%s", async (_, query, seqs, matching) => {
      const page = await fixture.inbox.list(owner, query);
      expect({ seqs: seqsOf(page.items), matching: page.matching }).toEqual({ seqs, matching });
      expect(page.counts).toEqual({ total: 10, unread: 7, unseen: 7, lastSeq: 12, epoch: expect.any(String), rev: expect.any(Number) });
      expect(page.counts).toEqual(await fixture.inbox.counts(owner));
      expect(await fixture.inbox.listStored(owner, query)).toEqual({ ...page, items: page.items.map(storedItem) });
    });

    test.each<[InboxQuery["status"], string | undefined]>([
      ["all", undefined],
      ["unread", undefined],
      ["read", undefined],
      ["all", "note"],
      ["unread", "note"],
      ["read", "alert"],
    ])("pages of %s items of type %s, one after another, give each item once", async (status, type) => {
      const filter = { status, ...(type === undefined ? {} : { type }) };
      const whole = seqsOf((await fixture.inbox.list(owner, { ...filter, limit: 50 })).items);
      for (const limit of [1, 2, 3, 50]) {
        const paged: number[] = [];
        const skipped: number[] = [];
        for (let page = 0; page <= whole.length; page += 1) {
          const before = paged.at(-1);
          paged.push(...seqsOf((await fixture.inbox.list(owner, { ...filter, limit, ...(before === undefined ? {} : { before }) })).items));
          skipped.push(...seqsOf((await fixture.inbox.list(owner, { ...filter, limit, offset: page * limit })).items));
        }
        expect(paged.slice(0, whole.length)).toEqual(whole);
        expect(skipped).toEqual(whole);
      }
    });

    test.each(lists)("%s, with a look ahead, which may be left out for what the counts tell", async (_, query) => {
      const { items, ...page } = await fixture.inbox.list(owner, query);
      const { items: seen, rest, ...ahead } = await fixture.inbox.list(owner, { ...query, looksAhead: true });
      const isLeftOut = rest !== undefined;
      expect([seqsOf(seen), ahead]).toEqual([seqsOf(items).slice(0, isLeftOut ? query.limit - 1 : query.limit), page]);
      expect(isLeftOut ? [seen.at(-1)?.seq, items.length] : []).toEqual(isLeftOut ? [rest, query.limit] : []);
      expect(await fixture.inbox.listStored(owner, { ...query, looksAhead: true })).toEqual({
        ...{ ...ahead, ...(isLeftOut && { rest }) },
        items: seen.map(storedItem),
      });
    });

    test("a room's items are those whose data names it as a text, with any other filter", async () => {
      const dora = fixture.owner("dora");
      const rooms = [
        { room_id: "r'1" },
        { room_id: "r2" },
        {},
        { room_id: 7 },
        { room_id: "r'1" },
        { room_id: ["r2"] },
        { room_id: "r'1" },
      ];
      for (const [at, data] of rooms.entries()) {
        await fixture.create("dora", { data, type: at === 4 ? "alert" : "note" });
      }
      await fixture.inbox.markRead(dora, [{ seq: 7 }], at(300));
      const list = async (query: Omit<InboxQuery, "limit"> & { readonly limit?: number }) => {
        const { items, matching } = await fixture.inbox.list(dora, { limit: 10, ...query });
        return [seqsOf(items), matching];
      };
      expect(await list({ status: "all", roomId: "r'1" })).toEqual([[7, 5, 1], 3]);
      expect(await list({ status: "unread", roomId: "r'1" })).toEqual([[5, 1], 2]);
      expect(await list({ status: "read", roomId: "r'1" })).toEqual([[7], 1]);
      expect(await list({ status: "all", roomId: "r'1", type: "alert" })).toEqual([[5], 1]);
      expect(await list({ status: "all", roomId: "r'1", before: 7, limit: 1 })).toEqual([[5], 3]);
      expect(await list({ status: "all", roomId: "r'1", type: "note", offset: 1, limit: 1 })).toEqual([[1], 2]);
      expect(await list({ status: "all", roomId: "7" })).toEqual([[], 0]);
      expect(await list({ status: "all", roomId: "r2" })).toEqual([[2], 1]);
    });

    test("a mark over the whole inbox moves items from one list to the other", async () => {
      await fixture.inbox.markAllRead(owner, at(200));
      await fixture.create("ann", { type: "alert" });
      const [unread, read, alerts] = await Promise.all([
        fixture.inbox.list(owner, { status: "unread", limit: 50 }),
        fixture.inbox.list(owner, { status: "read", limit: 50 }),
        fixture.inbox.list(owner, { status: "read", type: "alert", limit: 50 }),
      ]);
      expect([seqsOf(unread.items), unread.matching]).toEqual([[13], 1]);
      expect([seqsOf(read.items), read.matching]).toEqual([[12, 11, 10, 8, 6, 5, 4, 3, 2, 1], 10]);
      expect([seqsOf(alerts.items), alerts.matching]).toEqual([[12, 6, 3], 3]);
    });

    test.each<[after: number, limit: number, seqs: readonly number[]]>([
      [0, 50, [1, 2, 3, 4, 5, 6, 8, 10, 11, 12]],
      [0, 3, [1, 2, 3]],
      [0, 0, []],
      [5, 3, [6, 8, 10]],
      [7, 1, [8]],
      [11, 50, [12]],
      [12, 50, []],
      [Number.MAX_SAFE_INTEGER, 50, []],
    ])("after number %d at most %d items follow, oldest first", async (after, limit, seqs) => {
      const tail = await fixture.inbox.listAfter(owner, after, { limit, bytes: 1_000_000 });
      expect(seqsOf(tail.items)).toEqual(seqs);
      expect(tail.counts).toEqual(await fixture.inbox.counts(owner));
    });

    test("a page after a number ends with the item that reaches its bytes, however little it compresses or much", async () => {
      const random = Array.from({ length: 10_000 }, (_, at) => ((at * 7919 * 104_729) % 65_521).toString(36)).join("");
      const contents = [
        { title: "a".repeat(200) },
        { message: "b".repeat(30_000) },
        { data: { text: "c".repeat(30_000) } },
        { data: { random } },
      ];
      for (const content of [...contents, ...contents]) {
        await fixture.create("len", content);
      }
      const pages: (readonly number[])[] = [];
      for (let last = 0; last < 8; last = pages.at(-1)?.at(-1) ?? 8) {
        pages.push(seqsOf((await fixture.inbox.listAfter(fixture.owner("len"), last, { limit: 50, bytes: 30_000 })).items));
      }
      expect(pages).toEqual([[1, 2], [3], [4], [5, 6], [7], [8]]);
      expect(seqsOf((await fixture.inbox.listAfter(fixture.owner("len"), 0, { limit: 50, bytes: 1 })).items)).toEqual([1]);
      expect(seqsOf((await fixture.inbox.listAfter(fixture.owner("len"), 0, { limit: 50, bytes: 90_000 })).items)).toEqual([1, 2, 3, 4]);
    });

    test("list, listAfter, get and listTenant show an item alike", async () => {
      const { notification } = await fixture.create("dan", { source: "shop", actor: "eve", data: { order: 7 } });
      const dan = fixture.owner("dan");
      await fixture.inbox.markRead(dan, [notification.id], at(300));
      const expected = itemOf(notification, { userId: "dan", seq: 1, readAt: at(300) });
      expect((await fixture.inbox.list(dan, { status: "all", limit: 1 })).items).toEqual([expected]);
      expect((await fixture.inbox.listAfter(dan, 0, { limit: 1, bytes: 1_000_000 })).items).toEqual([expected]);
      expect(await fixture.inbox.get(dan, notification.id)).toEqual(expected);
      expect(await fixture.inbox.listTenant(fixture.tenant, 1)).toEqual([expected]);
    });
  });
}
