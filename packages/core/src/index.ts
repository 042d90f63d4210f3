export type { ActivityItems, ActivityQuery, ActivityStorage, HealthWindow } from "./activity-storage.ts";
export type { ApiKeyScope, ApiKeyStorage, StoredApiKey } from "./api-key-storage.ts";
export { type ApiKey, type ApiKeyClient, ApiKeys, type NewApiKey } from "./api-keys.ts";
export type { Channel, DeliveryFailure, DeliveryOutcome, DeliverySuccess, DeliveryTask } from "./channel.ts";
export { type Clock, systemClock } from "./clock.ts";
export type {
  ChainSelection,
  ClaimedDelivery,
  ClaimRequest,
  Decide,
  DeletedSend,
  DeliveryStorage,
  Endpoint,
  IdempotencyKey,
  Lease,
  LoadedDelivery,
  LoadedSend,
  NewDelivery,
  NewSend,
  SendCreated,
  SendState,
  SendUpdated,
  SettleChanges,
} from "./delivery-storage.ts";
export type { Contact, Directory } from "./directory.ts";
export { BelfryError, type BelfryErrorCode, type BelfryErrorOptions, HTTP_STATUS, type Issue, validationError } from "./errors.ts";
export type {
  DeliveryChanged,
  EventCreated,
  InboxSwept,
  ItemChanged,
  NotificationCreated,
  NotificationEvents,
  NotificationListener,
  RecordSettled,
  SendChanged,
} from "./events.ts";
export { Hub } from "./hub.ts";
export { HubEvents } from "./hub-events.ts";
export { HubHandlers } from "./hub-handlers.ts";
export { HubIdentities } from "./hub-identities.ts";
export type {
  ClaimedRecord,
  EndedRecord,
  HubRange,
  HubStorage,
  NewProcessingRecord,
  PlanProcessing,
  RecordClaim,
  RecordLease,
} from "./hub-storage.ts";
export { type Ids, isUuid, uuidV7 } from "./ids.ts";
export { Inbox } from "./inbox.ts";
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
} from "./inbox-storage.ts";
export { consoleLogger, type Logger } from "./logger.ts";
export type {
  Activity,
  ActivityContent,
  ActivityFilter,
  ActivityPage,
  ActivitySummary,
  ChannelHealth,
  HealthBucket,
  HealthRange,
  RetriedAll,
} from "./model/activity.ts";
export type {
  CreateFields,
  CreateInput,
  CreateInputWithData,
  CreateInputWithOptionalData,
  UntypedCreateInput,
} from "./model/create-input.ts";
export {
  type AttemptStatus,
  type ChainCounts,
  type ChainOutcome,
  chainOutcome,
  type Delivery,
  type DeliveryAttempt,
  type DeliveryStatus,
  type SendStatus,
  sendStatus,
  type TrackedDelivery,
  type UnreachedReason,
} from "./model/delivery.ts";
export { newEpoch } from "./model/epoch.ts";
export { foldCase } from "./model/fold-case.ts";
export type {
  Handler,
  HubEvent,
  HubPage,
  IdentifiedEvent,
  Identity,
  ProcessingRecord,
  ProcessingStatus,
  SourceRecord,
} from "./model/hub.ts";
export type { EventInput, HandlerChanges, HandlerInput, HubListInput, IdentityInput } from "./model/hub-input.ts";
export { type IdRange, idRange } from "./model/id-range.ts";
export {
  EMPTY_COUNTS,
  EMPTY_EPOCH,
  type InboxCounts,
  type InboxItem,
  type InboxPosition,
  type InboxStatus,
  type ItemRef,
  inboxItem,
} from "./model/inbox-item.ts";
export type { JsonObject, JsonValue } from "./model/json.ts";
export { DEFAULT_TYPE, type Notification, type NotificationKind } from "./model/notification.ts";
export {
  type DataByType,
  type DataOf,
  defineTypes,
  type NotificationType,
  type NotificationTypes,
  type TypesTaking,
  typeLabel,
} from "./model/notification-types.ts";
export { DEFAULT_TENANT, type Owner } from "./model/owner.ts";
export type {
  AuditAction,
  AuditEntry,
  NewAuditEntry,
  Send,
  SendAnalytics,
  SendAnalyticsQuery,
  SendChanges,
  SendDetails,
  SendPage,
  SendQuery,
  SendSort,
} from "./model/send.ts";
export type {
  Acting,
  FallbackInput,
  SendFields,
  SendInput,
  SendInputWithData,
  SendInputWithOptionalData,
  TypedSendInput,
} from "./model/send-input.ts";
export { NotificationService } from "./notification-service.ts";
export type { Created } from "./operations/create.ts";
export type { HandlerResult, OnResult } from "./operations/hub/handler-result.ts";
export type { InboxList, ListInput } from "./operations/list-inbox.ts";
export type { AuditNote } from "./operations/operator/note-audit.ts";
export type { RetryAllOptions } from "./operations/operator/retry-all.ts";
export type { SearchInput } from "./operations/operator/search-activity.ts";
export type { ListSendsInput } from "./operations/sends/list-sends.ts";
export type { AuditInput } from "./operations/sends/read-sends.ts";
export type { CallOptions, CallOptionsOf, PreparedNotification, PreparedSend, SynchronousCallOptions } from "./operations/transactional.ts";
export { Operator } from "./operator.ts";
export type { PresenceStorage } from "./presence.ts";
export type { ProcessingFailure, ProcessingOutcome, ProcessingSuccess, ProcessingTask, ProcessingUsage, Processor } from "./processor.ts";
export type { HubListener } from "./realtime/hub-feed.ts";
export type { HubSubscription } from "./realtime/hub-feeds.ts";
export type { InboxEvent, InboxListener } from "./realtime/inbox-event.ts";
export type { InboxSubscription } from "./realtime/inbox-feeds.ts";
export { Sends } from "./sends.ts";
export type { DeliveryOptions, HubOptions, NotificationServiceOptions } from "./service-options.ts";
export type { Storage } from "./storage.ts";
export { type MemoryStorage, type MemoryTransaction, memoryStorage } from "./storages/memory.ts";
export { TenantNotifications } from "./tenant-notifications.ts";
export {
  type HubSignal,
  type InboxChange,
  type InboxSignal,
  isHubSignal,
  type Signal,
  type Transport,
  type TransportListener,
} from "./transport.ts";
export { memoryTransport } from "./transports/memory.ts";
