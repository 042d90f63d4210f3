export type { ApiKeyScope } from "../service/api-key-storage.ts";
export type {
  ApiKey,
  ApiKeyClient,
  ApiKeys,
  NewApiKey,
} from "../service/api-keys.ts";
export type {
  NotificationEvents,
  NotificationListener,
} from "../service/events.ts";
export type { UnreadyReason } from "../service/lifecycle.ts";
export { NotificationService } from "../service/notification-service.ts";
export type { Readiness } from "../service/readiness.ts";
export type { ServiceRole } from "../service/roles.ts";
export type { ServiceDatabase } from "../service/service-database.ts";
export type {
  DeliveryOptions,
  HubOptions,
  NotificationServiceOptions,
  SuppressionOptions,
} from "../service/service-options.ts";
export type {
  CredentialHeaders,
  SocketTickets,
} from "../service/socket-tickets.ts";
export type { DatabaseFacts, MigrateInput, PartitionInput, StorageDatabase } from "../service/storage-database.ts";
export type { TenantNotifications } from "../service/tenant-notifications.ts";
