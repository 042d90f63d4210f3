import { expectTypeOf, test } from "vitest";
import type { FilteredCount, Inbox, InboxCounts, InboxItem } from "./index.ts";

declare const inbox: Inbox;

test("lists, counts and changes of many take the same conditions", () => {
  const filter = { types: ["comment"], categories: ["social"], priority: ["high", "urgent"], read: false, pinned: true } as const;
  void inbox.list({ ...filter, limit: 20 });
  void inbox.list({ priority: "low", archived: true });
  void inbox.counts({ filters: [filter, { seen: false }, { snoozed: true }] });
  void inbox.markAllRead({ filter, upTo: 7 });
  void inbox.markAllSeen({ upTo: 7 });
  void inbox.archiveAll({ filter });
  void inbox.list({ group: "post:7", types: ["comment"] });
  void inbox.counts({ filters: [{ group: "post:7" }, { group: "post:7", read: false }] });
  void inbox.markAllRead({ filter: { group: "post:7" } });
  void inbox.markAllSeen({ filter: { group: "post:7", pinned: false }, upTo: 7 });
  void inbox.archiveAll({ filter: { group: "post:7" } });
  // @ts-expect-error It is one group.
  void inbox.counts({ filters: [{ group: ["post:7"] }] });
  // @ts-expect-error Groups are listed by `groups`.
  void inbox.markAllRead({ filter: { groups: ["post:7"] } });
  // @ts-expect-error There is no such condition.
  void inbox.list({ typs: ["comment"] });
  // @ts-expect-error It is a list.
  void inbox.list({ types: "comment" });
  // @ts-expect-error There is no such priority.
  void inbox.list({ priority: "dire" });
  // @ts-expect-error A filter has no limit.
  void inbox.counts({ filters: [{ limit: 20 }] });
  // @ts-expect-error It is the number of an item.
  void inbox.markAllRead({ upTo: "7" });
  // @ts-expect-error The conditions are a member.
  void inbox.archiveAll({ read: true });
});

test("counts have those of the filters only if they were asked for", () => {
  expectTypeOf(inbox.counts()).toEqualTypeOf<Promise<InboxCounts>>();
  expectTypeOf(inbox.counts({ filters: [] }))
    .resolves.toHaveProperty("filtered")
    .toEqualTypeOf<readonly FilteredCount[]>();
  expectTypeOf(inbox.archiveAll()).toEqualTypeOf<Promise<number>>();
  expectTypeOf(inbox.top()).toEqualTypeOf<Promise<readonly InboxItem[]>>();
});
