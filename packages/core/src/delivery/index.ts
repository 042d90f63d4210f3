export { type Acknowledging, acknowledgeChains, readHook } from "./acknowledge.ts";
export { cancelChains } from "./cancel-send.ts";
export { actorOf, type ChangeRequest } from "./change-request.ts";
export type { Channel, DeliveryFailure, DeliveryOutcome, DeliverySuccess, DeliveryTask } from "./channel.ts";
export type { DeliveryContext } from "./context.ts";
export { send, sendWithin, sendWriter } from "./create-send.ts";
export { channelsByName, DeliverDue } from "./deliver-due.ts";
export {
  type AttemptStatus,
  type ChainCounts,
  type ChainOutcome,
  chainOutcome,
  type Delivery,
  type DeliveryAttempt,
  type DeliveryPage,
  type DeliveryRange,
  type DeliveryStatus,
  INBOX_CHANNEL,
  type SendStatus,
  sendStatus,
  type TrackedDelivery,
  type UnreachedReason,
} from "./delivery.ts";
export type {
  ChainSelection,
  ClaimedDelivery,
  Decide,
  DeletedSend,
  DeliveryFairness,
  DeliveryStorage,
  Endpoint,
  IdempotencyKey,
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
export { type EndedAttempt, type EndedAttempts, type EndedBy, endAttempts } from "./end-attempts.ts";
export { endLostLeases, type LostDeliveries } from "./end-lost-leases.ts";
export type { DeliveryChanged, DeliveryEvents, SendChanged } from "./events.ts";
export { endWaits } from "./fallbacks.ts";
export type { ListSendsInput } from "./list-sends.ts";
export { type ParsedSend, parseSend } from "./parse-send.ts";
export type { AuditInput } from "./read-sends.ts";
export { retryChains, retrySend } from "./retry-send.ts";
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
  SendProgress,
  SendQuery,
  SendSort,
} from "./send.ts";
export type {
  Acting,
  FallbackInput,
  SendFields,
  SendInput,
  SendInputWithData,
  SendInputWithOptionalData,
  TypedSendInput,
} from "./send-input.ts";
export { sendOf } from "./send-view.ts";
export { Sends } from "./sends.ts";
export type { DeliveryTransition, SendTransition, Settlement } from "./settle-chains.ts";
