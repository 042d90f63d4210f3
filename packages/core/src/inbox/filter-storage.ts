import type { Owner } from "../foundation/context.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import type { Notification } from "../notifications/index.ts";
import type { InboxCounts, ItemMark, ItemPlace } from "./inbox-item.ts";
import type { ReadMoment, StepOfCall } from "./logged-change.ts";

/** Conditions on items of an inbox. All that are given hold for each of them. */
export interface ItemFilter {
  readonly types?: readonly string[];
  /** Items of these categories, and those without one whose type is among `types`. */
  readonly categories?: { readonly names: readonly string[]; readonly types: readonly string[] };
  readonly priorities?: readonly Notification["priority"][];
  readonly isRead?: boolean;
  readonly isSeen?: boolean;
  readonly isPinned?: boolean;
  /** Items of this group. */
  readonly group?: string;
  /** Items that came back after they were put off. */
  readonly wasSnoozed?: true;
}

/** How many items of a place are alike in everything that filters ask for. */
export interface ItemTally {
  readonly type: string;
  readonly category: string | null;
  /** Null if nobody asked for priorities. */
  readonly priority: Notification["priority"] | null;
  /** Null for items of none of the groups that were asked for; missing if none was. */
  readonly group?: string | null;
  readonly isRead: boolean;
  readonly isSeen: boolean;
  readonly isPinned: boolean;
  readonly count: number;
}

/** Which items of an inbox to tally. */
export interface TallyQuery {
  readonly places: readonly ItemPlace[];
  /** Whether to tell priorities apart, which are looked up for each item. */
  readonly withPriorities: boolean;
  /** The groups to tell apart from others. @default none */
  readonly groups?: readonly string[];
  /** How many items of each place to look at, the newest. */
  readonly limit: number;
}

/** The tallies of each place, with the counts of the same moment. A place that was not asked for has none. */
export interface CountedItems {
  readonly counts: InboxCounts;
  readonly tallies: Readonly<Record<ItemPlace, readonly ItemTally[]>>;
}

/** The changes of all items that match a filter. `deleted_read` deletes those that are read. */
export type MatchingMark = Exclude<ItemMark, "woken"> | "read" | "unread" | "deleted" | "deleted_read";

/** Which items {@link FilterStorage.changeMatching} looks at, and which of them it changes. */
export interface MatchingStep extends StepOfCall {
  readonly mark: MatchingMark;
  readonly at: Date;
  readonly places: readonly ItemPlace[];
  readonly filter: ItemFilter;
  /** It looks at items with numbers above this. */
  readonly after: number;
  /** And up to this. */
  readonly upTo: number;
  /**
   * That of the call's first step: items that were not read, unread, seen or unseen then, as the filter wants, do not match either,
   * whatever they are now. If the inbox began anew since, none does. @default the moment of the step
   */
  readonly asOf?: ReadMoment | undefined;
}

/** How a step changed items that match a filter. */
export interface MatchingChange {
  /** How many active items it changed. */
  readonly count: number;
  readonly counts: InboxCounts;
  /** How many items it changed, wherever they are. */
  readonly changed: number;
  /** How many active items the calls with the key of the step changed by now. @default the log does not have the key */
  readonly found?: number | undefined;
  /** The moment before the step. */
  readonly asOf: ReadMoment;
  /** The ids of those with deliveries, if it read them. */
  readonly sends: readonly string[];
  /** The number after which the next step goes on; null if none has to follow. */
  readonly next: number | null;
}

/** How many items a step of {@link FilterStorage.changeMatching} looks at. */
export const MATCHED_AT_ONCE = 1_000;

/** Counting and changing the items that meet conditions. */
export interface FilterStorage {
  /** Counts items that are alike, from which any filter's count follows. */
  tally(owner: Owner, query: TallyQuery): MaybePromise<CountedItems>;

  /**
   * Changes those that match among the next {@link MATCHED_AT_ONCE} items of a range (of a group's, if the filter has one), oldest first: a short step, however large the
   * inbox. It has a `rev`, and its own line in the log unless it continues another. No step follows one of `deleted_read` that leaves no
   * active item that is read. The first step of `deleted_read` may delete all active items up to a number at once, if a storage can.
   */
  changeMatching(owner: Owner, step: MatchingStep): Promise<MatchingChange>;
}
