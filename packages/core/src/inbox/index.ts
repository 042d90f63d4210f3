export {
  type Acknowledged,
  type AcknowledgedFallback,
  announceItems,
  type InboxContext,
  type InboxEvents,
  type InboxSwept,
  type ItemChanged,
  type ItemChangedOf,
  type ReadHook,
} from "./context.ts";
export { DueItems } from "./due-items.ts";
export { type Created, GroupCommit } from "./group-commit.ts";
export { Inbox } from "./inbox.ts";
export {
  createdSignal,
  type InboxChange,
  type InboxEvent,
  type InboxListener,
  type InboxSignal,
  type ItemChange,
  isWholeChange,
  type WholeChange,
} from "./inbox-event.ts";
export {
  EMPTY_COUNTS,
  EMPTY_EPOCH,
  type InboxCounts,
  type InboxItem,
  type InboxPosition,
  type InboxStatus,
  type ItemMark,
  type ItemRef,
  newInboxItem,
  type StoredItem,
  storedItem,
} from "./inbox-item.ts";

export type {
  CreatedItem,
  DueInbox,
  DueItemsStorage,
  ExpiringNotification,
  ExportedItem,
  FanOutChunk,
  GetOptions,
  InboxPage,
  InboxQuery,
  InboxRetention,
  InboxStorage,
  InboxTail,
  ItemAbsence,
  ItemMarking,
  ItemPlace,
  ItemsChange,
  NewNotification,
  SweptBefore,
  WholeInboxChange,
} from "./inbox-storage.ts";
export { type InboxList, type ListInput, listTenant, type StoredListInput } from "./list-inbox.ts";
