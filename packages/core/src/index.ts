export type { Created } from "./creating/create.ts";
export type { CallOptions, CallOptionsOf, PreparedNotification, PreparedSend, SynchronousCallOptions } from "./creating/transactional.ts";
export type { Channel, DeliveryFailure, DeliveryOutcome, DeliverySuccess, DeliveryTask } from "./delivery/channel.ts";
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
} from "./delivery/delivery.ts";
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
} from "./delivery/delivery-storage.ts";
export type { Contact, Directory } from "./delivery/directory.ts";
export type { ListSendsInput } from "./delivery/list-sends.ts";
export type { AuditInput } from "./delivery/read-sends.ts";
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
} from "./delivery/send.ts";
export type {
  Acting,
  FallbackInput,
  SendFields,
  SendInput,
  SendInputWithData,
  SendInputWithOptionalData,
  TypedSendInput,
} from "./delivery/send-input.ts";
export { Sends } from "./delivery/sends.ts";
export { type Clock, systemClock } from "./foundation/clock.ts";
export { newEpoch } from "./foundation/epoch.ts";
export {
  BelfryError,
  type BelfryErrorCode,
  type BelfryErrorOptions,
  HTTP_STATUS,
  type Issue,
  validationError,
} from "./foundation/errors.ts";
export { foldCase } from "./foundation/fold-case.ts";
export { type IdRange, idRange } from "./foundation/id-range.ts";
export { type Ids, isUuid, uuidV7 } from "./foundation/ids.ts";
export type { JsonObject, JsonValue } from "./foundation/json.ts";
export { consoleLogger, type Logger } from "./foundation/logger.ts";
export { DEFAULT_TENANT, type Owner } from "./foundation/owner.ts";
export type { HandlerResult, OnResult } from "./hub/handler-result.ts";
export { Hub } from "./hub/hub.ts";
export { HubEvents } from "./hub/hub-events.ts";
export { HubHandlers } from "./hub/hub-handlers.ts";
export { HubIdentities } from "./hub/hub-identities.ts";
export type { EventInput, HandlerChanges, HandlerInput, HubListInput, IdentityInput } from "./hub/hub-input.ts";
export type {
  Handler,
  HubEvent,
  HubPage,
  IdentifiedEvent,
  Identity,
  ProcessingRecord,
  ProcessingStatus,
  SourceRecord,
} from "./hub/hub-model.ts";
export type {
  ClaimedRecord,
  EndedRecord,
  HubRange,
  HubStorage,
  NewProcessingRecord,
  PlanProcessing,
  RecordClaim,
  RecordLease,
} from "./hub/hub-storage.ts";
export type {
  ProcessingFailure,
  ProcessingOutcome,
  ProcessingSuccess,
  ProcessingTask,
  ProcessingUsage,
  Processor,
} from "./hub/processor.ts";
export { Inbox } from "./inbox/inbox.ts";
export type { InboxEvent, InboxListener } from "./inbox/inbox-event.ts";
export {
  EMPTY_COUNTS,
  EMPTY_EPOCH,
  type InboxCounts,
  type InboxItem,
  type InboxPosition,
  type InboxStatus,
  type ItemRef,
  inboxItem,
} from "./inbox/inbox-item.ts";
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
} from "./inbox/inbox-storage.ts";
export type { InboxList, ListInput } from "./inbox/list-inbox.ts";
export type {
  CreateFields,
  CreateInput,
  CreateInputWithData,
  CreateInputWithOptionalData,
  UntypedCreateInput,
} from "./notifications/create-input.ts";
export { DEFAULT_TYPE, type Notification, type NotificationKind } from "./notifications/notification.ts";
export {
  type DataByType,
  type DataOf,
  defineTypes,
  type NotificationType,
  type NotificationTypes,
  type TypesTaking,
  typeLabel,
} from "./notifications/notification-types.ts";
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
} from "./operator/activity.ts";
export type { ActivityItems, ActivityQuery, ActivityStorage, HealthWindow } from "./operator/activity-storage.ts";
export type { AuditNote } from "./operator/note-audit.ts";
export { Operator } from "./operator/operator.ts";
export type { RetryAllOptions } from "./operator/retry-all.ts";
export type { SearchInput } from "./operator/search-activity.ts";
export type { HubListener } from "./realtime/hub-feed.ts";
export type { HubSubscription } from "./realtime/hub-feeds.ts";
export type { InboxSubscription } from "./realtime/inbox-feeds.ts";
export { memoryTransport } from "./realtime/memory-transport.ts";
export type { PresenceStorage } from "./realtime/presence-storage.ts";
export {
  type HubSignal,
  type InboxChange,
  type InboxSignal,
  isHubSignal,
  type Signal,
  type Transport,
  type TransportListener,
} from "./realtime/transport.ts";
export type { ApiKeyScope, ApiKeyStorage, StoredApiKey } from "./service/api-key-storage.ts";
export { type ApiKey, type ApiKeyClient, ApiKeys, type NewApiKey } from "./service/api-keys.ts";
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
} from "./service/events.ts";
export { NotificationService } from "./service/notification-service.ts";
export type { DeliveryOptions, HubOptions, NotificationServiceOptions } from "./service/service-options.ts";
export type { Storage } from "./service/storage.ts";
export { TenantNotifications } from "./service/tenant-notifications.ts";
export { type MemoryStorage, type MemoryTransaction, memoryStorage } from "./storages/memory.ts";
