export { type Clock, systemClock } from "./clock.ts";
export { BelfryError, type BelfryErrorCode, type BelfryErrorOptions, HTTP_STATUS, type Issue, validationError } from "./errors.ts";
export { type Ids, isUuid, uuidV7 } from "./ids.ts";
export { consoleLogger, type Logger } from "./logger.ts";
export {
  EMPTY_COUNTS,
  EMPTY_EPOCH,
  type InboxCounts,
  type InboxItem,
  type InboxPosition,
  type InboxStatus,
  inboxItem,
  type ItemRef,
} from "./model/inbox-item.ts";
export type { JsonObject, JsonValue } from "./model/json.ts";
export { DEFAULT_TYPE, type Notification, type NotificationKind } from "./model/notification.ts";
export { DEFAULT_TENANT, type Owner } from "./model/owner.ts";
export type {
  CreatedItem,
  FanOutChunk,
  InboxPage,
  InboxQuery,
  InboxStorage,
  InboxSweep,
  InboxTail,
  ItemAbsence,
  ItemsChange,
  NewNotification,
  Storage,
} from "./storage.ts";
export type { InboxChange, InboxSignal, Transport, TransportListener } from "./transport.ts";
