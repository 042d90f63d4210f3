import type { Owner } from "../foundation/context.ts";
import { type MembersOf, requireInput, requireMembers, validationError } from "../foundation/issue-list.ts";
import { describe } from "../foundation/parse-text.ts";
import { readUpToDate } from "./apply-due.ts";
import type { InboxContext } from "./context.ts";
import type { ItemFilter } from "./filter-storage.ts";
import { inLocale, LOCALE_INPUT, type LocaleInput } from "./in-locale.ts";
import type { InboxCounts, InboxItem, ItemPlace } from "./inbox-item.ts";
import type { InboxPage } from "./inbox-storage.ts";
import { COUNTED_ITEMS, countOf, type FilteredCount, type InboxFilter, itemFilter, placeOf, requireFilter } from "./item-filter.ts";
import type { InboxReads } from "./replica-storage.ts";

/** What to count beside the whole inbox. */
export interface CountsInput {
  /** At most 30. */
  readonly filters: readonly InboxFilter[];
}

/** The counts of an inbox, and of the filters that were asked for. */
export interface FilteredCounts extends InboxCounts {
  /** One for each filter, in their order. */
  readonly filtered: readonly FilteredCount[];
}

const COUNTS_INPUT: MembersOf<CountsInput> = { filters: true };
const MAX_FILTERS = 30;

/** A filter as it is counted. */
interface Counted {
  readonly place: ItemPlace;
  readonly filter: ItemFilter;
}

/** Counts an inbox, and the items that match filters. */
export async function filteredCounts(context: InboxContext, owner: Owner, input: CountsInput): Promise<FilteredCounts> {
  const read = readingFiltered(context, owner, input);
  using _call = await context.ready();
  return await readUpToDate(context, owner, { read: () => read(context.inbox), countsOf: (counts) => counts });
}

/** Checks what is to be counted, and returns what counts it. @throws BelfryError `VALIDATION_ERROR` */
export function readingFiltered(context: InboxContext, owner: Owner, input: CountsInput): (inbox: InboxReads) => Promise<FilteredCounts> {
  const counted = parseFilters(context, input);
  return (inbox) => readFiltered(inbox, owner, counted);
}

async function readFiltered(inbox: InboxReads, owner: Owner, counted: readonly Counted[]): Promise<FilteredCounts> {
  const looked = counted.filter((one) => !isKept(one));
  if (looked.length === 0) {
    const counts = await inbox.counts(owner);
    return { ...counts, filtered: counted.map(({ filter }) => keptCount(counts, filter)) };
  }
  const groups = new Set(looked.flatMap(({ filter: { group } }) => (group === undefined ? [] : [group])));
  const { counts, tallies } = await inbox.tally(owner, {
    ...(groups.size === 0 ? {} : { groups: [...groups] }),
    places: [...new Set(looked.map(({ place }) => place))].toSorted(),
    withPriorities: looked.some(({ filter }) => filter.priorities !== undefined),
    limit: COUNTED_ITEMS + 1,
  });
  const filtered = counted.map((one) => (isKept(one) ? keptCount(counts, one.filter) : countOf(tallies[one.place], one.filter)));
  return { ...counts, filtered };
}

function parseFilters({ types }: InboxContext, input: CountsInput): readonly Counted[] {
  requireMembers("counts", input, COUNTS_INPUT);
  const { filters } = input;
  if (!Array.isArray(filters) || filters.length > MAX_FILTERS) {
    const is = Array.isArray(filters) ? `has ${filters.length}` : `is ${describe(filters)}`;
    throw validationError([{ path: ["filters"], type: "list_type", message: `must be a list of at most ${MAX_FILTERS} filters, ${is}` }]);
  }
  return filters.map((filter: InboxFilter) => {
    requireFilter(filter);
    return { place: placeOf(filter), filter: itemFilter(types, filter) ?? {} };
  });
}

/** Whether the inbox keeps the number of items of a filter: that of active items by whether they are read and seen. */
function isKept({ place, filter: { isRead: _, isSeen: __, ...others } }: Counted): boolean {
  return place === "active" && Object.keys(others).length === 0;
}

function keptCount({ total, unread, unseen }: InboxCounts, { isRead, isSeen }: ItemFilter): FilteredCount {
  const read = isRead === false || isSeen === false ? 0 : total - unread;
  const seenUnread = isRead === true || isSeen === false ? 0 : unread - unseen;
  const unseenLeft = isRead === true || isSeen === true ? 0 : unseen;
  return { total: read + seenUnread + unseenLeft, unread: seenUnread + unseenLeft, unseen: unseenLeft, more: false };
}

/** How many items of a kind stand above a first page. */
const TOP_ITEMS = 20;

/** The items above a first page as they are asked of the storage. */
interface AskedTop {
  /** Reads them. The counts are those of before or after some of them. */
  read(inbox: InboxReads): Promise<Pick<InboxPage, "items" | "counts">>;
  /** The items in the language that was asked for. */
  shown(page: Pick<InboxPage, "items">): Promise<readonly InboxItem[]>;
}

/** The items to show above a first page: pinned ones, then unread ones that came back. */
export async function topItems(context: InboxContext, owner: Owner, input?: LocaleInput): Promise<readonly InboxItem[]> {
  const { read, shown } = readingTop(context, owner, input);
  using _call = await context.ready();
  return shown(await readUpToDate(context, owner, { read: () => read(context.inbox), countsOf: ({ counts }) => counts }));
}

/** Checks how the items above a first page are asked for. @throws BelfryError `VALIDATION_ERROR` */
export function readingTop(context: InboxContext, owner: Owner, input: LocaleInput = {}): AskedTop {
  requireInput("top", input, LOCALE_INPUT);
  const { locale } = input;
  return {
    async read(inbox) {
      const pinned = await inbox.list(owner, { status: "all", filter: { isPinned: true }, limit: TOP_ITEMS });
      const woken = await inbox.list(owner, { status: "unread", filter: { wasSnoozed: true, isPinned: false }, limit: TOP_ITEMS });
      return { items: [...pinned.items, ...woken.items], counts: pinned.counts };
    },
    async shown({ items }) {
      const rendered = locale === undefined ? null : await Promise.all(items.map((item) => inLocale(context, item, locale)));
      return rendered?.map(({ item }) => item) ?? items;
    },
  };
}
