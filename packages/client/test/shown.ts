import type { Filter, InboxClient, Item, View } from "../src/index.ts";

/** The filters whose views are compared. */
export const FILTERS: readonly Filter[] = [
  {},
  { read: false },
  { read: true },
  { archived: true },
  { snoozed: true },
  { pinned: true },
  { types: ["note"], seen: true },
  { group: "thread 0" },
];

/** An item as it is compared. */
export function lineOf({ seq, id, title, readAt, isSeen, pinnedAt, archivedAt, snoozedUntil }: Item): string {
  return [seq, id, title, isSeen, readAt, pinnedAt, archivedAt, snoozedUntil].join(" ");
}

/** A view as it is compared. */
export interface ShownView {
  readonly lines: readonly string[];
  readonly hasMore: boolean;
  readonly counts: unknown;
}

function shownBy(view: View): ShownView {
  const { items, hasMore, counts } = view.getSnapshot();
  return { lines: items.map(lineOf), hasMore, counts };
}

/** What a client shows of all that is compared. */
export interface Shown {
  readonly counts: unknown;
  readonly pending: number;
  readonly views: readonly ShownView[];
}

/** Has a client show all that is compared. */
export function showAll(client: InboxClient): void {
  for (const filter of FILTERS) {
    client.view(filter).subscribe(() => undefined);
  }
}

/** What a client shows. */
export function shownOf(client: InboxClient): Shown {
  const { counts, pending } = client.getSnapshot();
  return { counts, pending, views: FILTERS.map((filter) => shownBy(client.view(filter))) };
}
