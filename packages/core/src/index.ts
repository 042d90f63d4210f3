export type { CallOptions, CallOptionsOf, PreparedNotification, PreparedSend, SynchronousCallOptions } from "./creating/index.ts";
export type {
  Acting,
  AttemptStatus,
  AuditAction,
  AuditEntry,
  AuditInput,
  Channel,
  Contact,
  Delivery,
  DeliveryAttempt,
  DeliveryChanged,
  DeliveryFailure,
  DeliveryOutcome,
  DeliveryPage,
  DeliveryRange,
  DeliveryStatus,
  DeliverySuccess,
  DeliveryTask,
  Directory,
  FallbackInput,
  ListSendsInput,
  Send,
  SendAnalytics,
  SendAnalyticsQuery,
  SendChanged,
  SendChanges,
  SendDetails,
  SendFields,
  SendInput,
  SendInputWithData,
  SendInputWithOptionalData,
  SendPage,
  SendQuery,
  SendSort,
  SendStatus,
  Sends,
  TrackedDelivery,
  TypedSendInput,
  UnreachedReason,
} from "./delivery/index.ts";
export { type Clock, systemClock } from "./foundation/clock.ts";
export {
  BelfryError,
  type BelfryErrorCode,
  type BelfryErrorOptions,
  HTTP_STATUS,
  type Issue,
} from "./foundation/errors.ts";
export type { FeedSubscription } from "./foundation/feed-subscription.ts";
export { type Ids, isUuid, uuidV7 } from "./foundation/ids.ts";
export { validationError } from "./foundation/issue-list.ts";
export type { JsonObject, JsonValue } from "./foundation/json.ts";
export { consoleLogger, type Logger } from "./foundation/logger.ts";
export { DEFAULT_TENANT, type Owner } from "./foundation/owner.ts";
export type {
  EventCreated,
  EventInput,
  Handler,
  HandlerChanges,
  HandlerInput,
  HandlerResult,
  Hub,
  HubEvent,
  HubEvents,
  HubHandlers,
  HubIdentities,
  HubListener,
  HubListInput,
  HubPage,
  IdentifiedEvent,
  Identity,
  IdentityInput,
  OnResult,
  ProcessingFailure,
  ProcessingOutcome,
  ProcessingRecord,
  ProcessingStatus,
  ProcessingSuccess,
  ProcessingTask,
  ProcessingUsage,
  Processor,
  RecordSettled,
  SourceRecord,
} from "./hub/index.ts";
export {
  type Created,
  type CreatedItem,
  EMPTY_EPOCH,
  type Inbox,
  type InboxChange,
  type InboxCounts,
  type InboxEvent,
  type InboxItem,
  type InboxList,
  type InboxListener,
  type InboxPosition,
  type InboxStatus,
  type InboxSwept,
  type ItemChanged,
  type ItemRef,
  type ListInput,
} from "./inbox/index.ts";
export {
  type CreateFields,
  type CreateInput,
  type CreateInputWithData,
  type CreateInputWithOptionalData,
  type DataByType,
  type DataOf,
  DEFAULT_TYPE,
  defineTypes,
  type Notification,
  type NotificationCreated,
  type NotificationKind,
  type NotificationType,
  type NotificationTypes,
  type TypesTaking,
  typeLabel,
  type UntypedCreateInput,
} from "./notifications/index.ts";
export type {
  Activity,
  ActivityContent,
  ActivityFilter,
  ActivityPage,
  ActivitySummary,
  AuditNote,
  ChannelHealth,
  HealthBucket,
  HealthRange,
  Operator,
  RetriedAll,
  RetryAllOptions,
  SearchInput,
} from "./operator/index.ts";
export { memoryTransport } from "./realtime/index.ts";
export type { ApiKeyScope } from "./service/api-key-storage.ts";
export type { ApiKey, ApiKeyClient, ApiKeys, NewApiKey } from "./service/api-keys.ts";
export type { NotificationEvents, NotificationListener } from "./service/events.ts";
export { NotificationService } from "./service/notification-service.ts";
export type { DeliveryOptions, HubOptions, NotificationServiceOptions } from "./service/service-options.ts";
export type { TenantNotifications } from "./service/tenant-notifications.ts";
export { type MemoryStorage, type MemoryTransaction, memoryStorage } from "./storages/memory.ts";
