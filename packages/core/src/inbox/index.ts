export type { Acknowledged, AcknowledgedFallback } from "./acknowledged.ts";
export type { InboxContext, ReadHook } from "./context.ts";
export type { Created } from "./created.ts";
export type { InboxEvents, InboxSwept, ItemChanged } from "./events.ts";
export { GroupCommit } from "./group-commit.ts";
export { Inbox } from "./inbox.ts";
export type { InboxEvent, InboxListener } from "./inbox-event.ts";
export {
  EMPTY_COUNTS,
  EMPTY_EPOCH,
  type InboxCounts,
  type InboxItem,
  type InboxPosition,
  type InboxStatus,
  type ItemRef,
  inboxItem,
} from "./inbox-item.ts";
export { createdSignal, type InboxChange, type InboxSignal } from "./inbox-signal.ts";
export type {
  CreatedItem,
  ExportedItem,
  FanOutChunk,
  InboxPage,
  InboxQuery,
  InboxStorage,
  InboxTail,
  ItemAbsence,
  ItemsChange,
  NewNotification,
  WholeInboxChange,
} from "./inbox-storage.ts";
export type { InboxList, ListInput } from "./list-inbox.ts";
export { listTenant } from "./list-tenant.ts";
