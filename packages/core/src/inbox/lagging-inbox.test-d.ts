import { expectTypeOf, test } from "vitest";
import type { FilteredCounts, Inbox, InboxCounts, InboxItem, InboxList, Lagging } from "./index.ts";

interface Comment extends InboxItem {
  readonly type: "comment";
}

declare const inbox: Inbox<Comment>;

test("an inbox that may lag reads, with the lag in each answer, and changes nothing", () => {
  const lagging = inbox.mayLag({ since: { epoch: "e", seq: 3, rev: 2 } });
  expectTypeOf(lagging.list({ limit: 20, locale: "de" })).resolves.toEqualTypeOf<Lagging<InboxList<Comment>>>();
  expectTypeOf(lagging.top({ locale: "de" })).resolves.toEqualTypeOf<Lagging<{ readonly items: readonly Comment[] }>>();
  expectTypeOf(lagging.counts()).resolves.toEqualTypeOf<Lagging<InboxCounts>>();
  expectTypeOf(lagging.counts({ filters: [{ read: false }] })).resolves.toEqualTypeOf<Lagging<FilteredCounts>>();
  expectTypeOf<Lagging<InboxCounts>["lagMs"]>().toEqualTypeOf<number>();
  // @ts-expect-error What a host reads as it is now does not say that it lags.
  void inbox.counts().then(({ lagMs }) => lagMs);
  // @ts-expect-error Marks are of now.
  void lagging.markAllRead();
  // @ts-expect-error So are live events.
  void lagging.subscribe;
  // @ts-expect-error A position has an epoch.
  inbox.mayLag({ since: { seq: 3 } });
});
