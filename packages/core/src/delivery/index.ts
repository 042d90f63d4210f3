export { type Acknowledging, acknowledgeChains, readHook } from "./acknowledge.ts";
export { addressesOf, reachableOver } from "./addresses.ts";
export type { UserAddress } from "./addresses-of-user.ts";
export { reserveTurns } from "./begin-at-once.ts";
export { type Ended, endWaits, eraseChains, type Settlement, withoutRest } from "./chains.ts";
export { actorOf, type ChangeBy, cancelChains, requireActing, retryChains } from "./change-send.ts";
export type {
  Channel,
  Contact,
  DeliveryFailure,
  DeliveryOutcome,
  DeliverySuccess,
  DeliveryTask,
  Directory,
  DirectoryPage,
  MessagePreview,
  TaskDigest,
} from "./channel.ts";
export { addressProblem, type ChannelInfo, channelsByName, describeChannels, lackOfProvider } from "./channel-info.ts";
export { CloseDigests } from "./close-digests.ts";
export { type DeliveryContext, type DeliveryEvents, reconsider } from "./context.ts";
export { createSend, sendWithin, sendWriter } from "./create-send.ts";
export { DeliverDue } from "./deliver-due.ts";
export {
  type AddressClaim,
  type AttemptEnded,
  type AttemptExchange,
  type AttemptStatus,
  type ChainCounts,
  type ChainOutcome,
  type Completed,
  chainOutcome,
  type Delivery,
  type DeliveryAttempt,
  type DeliveryChanged,
  type DeliveryPage,
  type DeliveryRange,
  type DeliveryReason,
  type DeliveryStatus,
  type Endpoint,
  type KeptMessage,
  SEND_STATUSES,
  type SendChanged,
  type SendStatus,
  type ShownDelivery,
  sendStatus,
  type TrackedDelivery,
  type UnreachedReason,
} from "./delivery.ts";
export {
  DELIVERY_STATES,
  type DeliveryStanding,
  type DeliveryState,
  type HeldBy,
  leadingOf,
  type OpenCircuit,
  type StateParts,
  standingOf,
} from "./delivery-state.ts";
export type {
  ChainSelection,
  ClaimedDelivery,
  Completion,
  Decide,
  DeliveryErasureStep,
  DeliveryFairness,
  DeliveryKeys,
  DeliveryStorage,
  DeviceTurn,
  ExportedDelivery,
  LoadedDelivery,
  LoadedSend,
  PlacedNotification,
  SendState,
  SettleChanges,
} from "./delivery-storage.ts";
export type { Ruling, UnbegunWait } from "./delivery-transitions.ts";
export {
  DEVICE_PLATFORMS,
  type Device,
  type DevicePlatform,
  type DeviceSource,
  deviceAddress,
  type PushDevice,
  parseDeviceAddress,
  type StoredDevice,
  shownDevice,
  type WebPushKeys,
} from "./device.ts";
export { type Digest, type DigestPlace, type DigestState, type DigestTiming, type EntryPlan, FULL_WINDOW } from "./digest.ts";
export type {
  ClaimedDigest,
  DigestChange,
  DigestMember,
  DigestStorage,
  StoredBundle,
  TakenEntry,
  UntakenEntry,
} from "./digest-storage.ts";
export { type EndedAttempt, type EndedBy, endAttempts, endLostLeases, type LostDeliveries, type RuledAttempt } from "./end-attempts.ts";
export { type ChannelExplanation, type ExplainedDecision, type ExplainedDigest, type ExplainInput, explain } from "./explain.ts";
export { endFanOuts, writeNextPart } from "./fan-out-sends.ts";
export type { EndedFanOut, FanOutEnd, FanOutPart, FanOutStorage, ForEveryone, NewFanOut } from "./fan-out-storage.ts";
export type { HardBounce } from "./hard-bounces.ts";
export type { HoldsStorage } from "./holds-storage.ts";
export type { AskedByContract } from "./idempotency.ts";
export { moveWindows, moveWindowsOfAll } from "./move-windows.ts";
export type { IdempotencyKey, NewDelivery, NewSend, SendCreated, SendThrottles } from "./new-send.ts";
export { type ParsedSend, parseSend, type SendRequest, type SendRules, statusOf } from "./parse-send.ts";
export { BY_OPERATOR, type Pause, type PauseChanged, type PausedPlace, type PauseEvents, type StoredPause, shownPause } from "./pause.ts";
export { PausesInForce } from "./pauses-in-force.ts";
export { readsOfOperators } from "./preview.ts";
export { newProgress, sendOf, withDigests } from "./read-sends.ts";
export { type Receipt, Receipts, type RecordedReceipt } from "./receipts.ts";
export type { ReceiptKind } from "./record-receipt.ts";
export { releasePaused } from "./release-paused.ts";
export { RestsElsewhere } from "./rests-elsewhere.ts";
export type {
  Acting,
  AuditAction,
  AuditEntry,
  AuditNames,
  AuditQuery,
  AuditTargetKind,
  DeliveryPlan,
  DeliveryTerms,
  NewAuditEntry,
  Send,
  SendAnalytics,
  SendAnalyticsQuery,
  SendChanges,
  SendDetails,
  SendPage,
  SendProgress,
  SendQuery,
  SendSort,
  SendUpdate,
  SendUpdated,
} from "./send.ts";
export { AUDIT_ACTIONS, AUDIT_TARGETS, NO_NOTIFICATION } from "./send.ts";
export type { CarriedBundle } from "./settle-bundles.ts";
export { placesOf, UntoldSuppressions } from "./suppressed-addresses.ts";
export {
  type SuppressInput,
  type SuppressionListInput,
  type SuppressionPage,
  Suppressions,
} from "./suppressions.ts";
export type {
  PagedSuppression,
  Place,
  Suppression,
  SuppressionChange,
  SuppressionChanged,
  SuppressionEvents,
  SuppressionRange,
  SuppressionReason,
  SuppressionSource,
  SuppressionsStorage,
} from "./suppressions-storage.ts";
export type { DeliveryContent } from "./task-of.ts";
export { type ListSendsInput, TrackedNotifications } from "./tracked-notifications.ts";
export { type AgainRequest, tryAgain } from "./try-again.ts";
