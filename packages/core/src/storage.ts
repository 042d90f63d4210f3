export type {
  Choice,
  ChoicePlace,
  DecisionsStorage,
  OwnPreferences,
  PreferencesOwner,
  Settings,
  StoredPreferences,
  TenantChoice,
  ThrottleQuestion,
} from "./decisions/index.ts";
export { askThrottle } from "./decisions/index.ts";
export {
  type Acknowledging,
  acknowledgeChains,
  type ChainCounts,
  type ChainOutcome,
  type ChainSelection,
  type ChangeBy,
  type ClaimedDelivery,
  type Completed,
  cancelChains,
  chainOutcome,
  type Decide,
  type DeletedSend,
  type DeliveryErasureStep,
  type DeliveryFairness,
  type DeliveryStorage,
  type EndedAttempt,
  type EndedBy,
  type Endpoint,
  type ExportedDelivery,
  endAttempts,
  endLostLeases,
  endWaits,
  eraseChains,
  type IdempotencyKey,
  type LoadedDelivery,
  type LoadedSend,
  type LostDeliveries,
  type NewAuditEntry,
  type NewDelivery,
  type NewSend,
  newProgress,
  retryChains,
  type SendCreated,
  type SendState,
  type SendUpdate,
  type SendUpdated,
  type SettleChanges,
  type Settlement,
  sendOf,
  sendStatus,
} from "./delivery/index.ts";
export type { PageBounds } from "./foundation/bounds.ts";
export { newEpoch } from "./foundation/digest.ts";
export type { ErasureStep, ExportStep, StepRange, SweepStep } from "./foundation/json.ts";
export { foldCase } from "./foundation/parse-text.ts";
export type {
  ClaimedRecord,
  EndedRecord,
  HistoryPage,
  HistoryPosition,
  HubRange,
  HubSignal,
  HubStorage,
  NewProcessingRecord,
  PlanProcessing,
} from "./hub/index.ts";
export {
  EMPTY_COUNTS,
  type ExportedItem,
  type FanOutChunk,
  type InboxPage,
  type InboxQuery,
  type InboxRetention,
  type InboxSignal,
  type InboxStorage,
  type InboxTail,
  type ItemAbsence,
  type ItemMarking,
  type ItemsChange,
  type NewNotification,
  type SweptBefore,
  storedItem,
  type WholeInboxChange,
} from "./inbox/index.ts";
export { NOTIFICATION_DEFAULTS } from "./notifications/index.ts";
export {
  type ActivityItems,
  type ActivityQuery,
  type ActivityStorage,
  type Deletion,
  type DeletionStep,
  type HealthWindow,
  type IdRange,
  idRange,
} from "./operator/index.ts";
export {
  type HoldingInstance,
  isHubSignal,
  type PresenceChange,
  type PresenceSignal,
  type PresenceStorage,
  type Signal,
  type Transport,
  type TransportListener,
} from "./realtime/index.ts";
export type { ApiKeyStorage, StoredApiKey } from "./service/api-key-storage.ts";
export type { SocketTicketStorage, StoredTicket } from "./service/socket-tickets.ts";
export { STORAGE_VERSION, type Storage } from "./service/storage.ts";
export type { Lease, LeaseRequest, LeaseStorage, LostLease, LostLeaseQuery, SharedStorage } from "./work/lease-storage.ts";
export { Loop, type LoopOptions, type LoopState, type NextRun } from "./work/loop.ts";
export {
  type AppliedMigration,
  backgroundBefore,
  checkedText,
  LaterMigrations,
  type LaterMigrationsOptions,
  type Migration,
  type MigrationPlan,
  type MigrationStep,
  type Numbered,
  nextCleanup,
  oldestCompatibleOf,
  type PlanSubject,
  planMigrations,
} from "./work/migrations.ts";
