import type { InboxItem, Owner } from "@belfry/core";
import { expect } from "vitest";
import type { Fixture } from "../fixture.ts";

const PAGE = 500;

/** Every item of the inbox that is not deleted, newest first, read page by page. */
export async function allItems({ inbox }: Fixture, owner: Owner): Promise<readonly InboxItem[]> {
  const items: InboxItem[] = [];
  for (;;) {
    const before = items.at(-1)?.seq;
    const page = await inbox.list(owner, { status: "all", limit: PAGE, ...(before === undefined ? {} : { before }) });
    items.push(...page.items);
    if (page.items.length < PAGE) {
      return items;
    }
  }
}

/** Counts the inbox's items one by one, expects its counts to say the same, and returns the items. */
export async function expectTrueCounts(fixture: Fixture, owner: Owner): Promise<readonly InboxItem[]> {
  const items = await allItems(fixture, owner);
  const unread = items.filter((item) => item.readAt === null).length;
  const unseen = items.filter((item) => !item.isSeen).length;
  expect(await fixture.inbox.counts(owner)).toMatchObject({ total: items.length, unread, unseen });
  const read = items.length - unread;
  for (const [status, matching] of [
    ["all", items.length],
    ["unread", unread],
    ["read", read],
  ] as const) {
    const page = await fixture.inbox.list(owner, { status, limit: PAGE });
    const expected = items.filter(({ readAt }) => status === "all" || (status === "read") === (readAt !== null));
    const shown = page.items.map(({ seq }) => seq);
    expect({ status, matching: page.matching, shown }).toEqual({ status, matching, shown: expected.slice(0, PAGE).map(({ seq }) => seq) });
  }
  await expectTrueGroups(fixture, owner, items);
  return items;
}

/** Counts the items of each group one by one, and expects the inbox's groups to say the same. */
async function expectTrueGroups({ inbox }: Fixture, owner: Owner, items: readonly InboxItem[]): Promise<void> {
  const grouped = Map.groupBy(
    items.filter(({ group }) => group !== null),
    ({ group }) => group,
  );
  const expected = [...grouped].map(([group, own]) => {
    return { group, total: own.length, unread: own.filter(({ readAt }) => readAt === null).length, newest: own[0] };
  });
  const { groups } = await inbox.groups(owner, { status: "all", limit: PAGE });
  expect(groups.map(({ actors: _, actorCount: __, ...group }) => group)).toEqual(expected.slice(0, PAGE));
}
