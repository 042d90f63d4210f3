export { applyDue, isDue } from "./apply-due.ts";
export type { MatchingInput } from "./change-matching.ts";
export { bytesOfText, CONTENT_CACHE_BYTES, ContentCache, type InboxVersion } from "./content-cache.ts";
export {
  type Acknowledged,
  type AcknowledgedFallback,
  announceAlso,
  announceItems,
  type InboxContext,
  type InboxEvents,
  type InboxSwept,
  type ItemChanged,
  type ItemChangedOf,
  isOutside,
  type LaggingReadAnswered,
  type ReadHook,
} from "./context.ts";
export { DueItems } from "./due-items.ts";
export {
  type CountedItems,
  type FilterStorage,
  type ItemFilter,
  type ItemTally,
  MATCHED_AT_ONCE,
  type MatchingChange,
  type MatchingMark,
  type MatchingStep,
  type TallyQuery,
} from "./filter-storage.ts";
export type { CountsInput, FilteredCounts } from "./filtered-counts.ts";
export { type Created, GroupCommit } from "./group-commit.ts";
export type { GroupList, GroupRange, GroupsInput, InboxGroup } from "./groups.ts";
export type { GroupItemsQuery, GroupListQuery, GroupPlaces, GroupSummary, GroupsPage, GroupsStorage } from "./groups-storage.ts";
export type { LocaleInput } from "./in-locale.ts";
export { Inbox } from "./inbox.ts";
export type { InboxChanges } from "./inbox-changes.ts";
export {
  createdSignal,
  type InboxEvent,
  type InboxListener,
  type InboxSignal,
  isMatchingChange,
  isWholeChange,
} from "./inbox-event.ts";
export {
  type CountsOfPlace,
  EMPTY_COUNTS,
  EMPTY_EPOCH,
  type InboxChange,
  type InboxCounts,
  type InboxItem,
  type InboxPosition,
  type InboxStatus,
  type ItemChange,
  type ItemMark,
  type ItemPlace,
  type ItemRef,
  type ItemsChange,
  type MatchingKind,
  newInboxItem,
  type StoredItem,
  storedItem,
  type WholeChange,
} from "./inbox-item.ts";
export type {
  DueChange,
  DueInbox,
  DueItemsStorage,
  ExpiringNotification,
  GetOptions,
  InboxPage,
  InboxQuery,
  InboxStorage,
  InboxTail,
  ItemAbsence,
  ItemMarking,
  KnownPosition,
  MarkingPlace,
  NotificationOwners,
  WholeInboxChange,
  WholeMarking,
} from "./inbox-storage.ts";
export { leastLookedAt } from "./inbox-storage.ts";
export { COUNTED_ITEMS, type FilteredCount, type InboxFilter, requireFilter } from "./item-filter.ts";
export type { ExportedItem, InboxRetention, KeptItemsStorage, SweptBefore } from "./kept-items-storage.ts";
export { KeyedInbox } from "./keyed-inbox.ts";
export type { Lagging, LaggingInbox, LagInput } from "./lagging-inbox.ts";
export type { ListForm } from "./list-forms.ts";
export { type InboxList, type ListInput, listTenant, type StoredListInput } from "./list-inbox.ts";
export {
  type ChangeKey,
  type ChangeLogStorage,
  FORGOTTEN_AT_ONCE,
  type KeyedChange,
  type LoggedChange,
  type LoggedChanges,
  type LoggedKind,
  MAX_LOGGED_CHANGES,
  type ReadMoment,
  reusedKey,
  type StepOfCall,
} from "./logged-change.ts";
export type { AlsoChanged, CreatedItem, FanOutChunk, FanOutTurn, NewItemsStorage, NewNotification } from "./new-items-storage.ts";
export type { FoundByReplica, InboxReads, ReplicaStorage } from "./replica-storage.ts";
export { lengthOf, MAX_LOGGED_RANGES, parseRanges, rangesOf, rangesText, type SeqRange, seqsIn, uniteRanges } from "./seq-ranges.ts";
