export type {
  Broadcast,
  BroadcastException,
  BroadcastPage,
  BroadcastStorage,
  BroadcastsToPlace,
  BroadcastTerms,
  MissedBroadcasts,
  MissedRange,
  NewBroadcast,
  PagedBroadcast,
  PlacedBroadcast,
  SentBroadcast,
  WaitingPage,
} from "./broadcast-storage.ts";
export { Broadcasting } from "./broadcasting.ts";
export { Devices, type DevicesContext } from "./devices.ts";
export type { DevicesStorage, NewDevice, Registering } from "./devices-storage.ts";
export { takeNextStep, wantingItems } from "./find-members.ts";
export type { DeviceInput, DeviceTerms, TokenDeviceInput, WebDeviceInput, WebPushSubscription } from "./parse-device.ts";
export { type BroadcastContext, beginAndPlace } from "./place-broadcasts.ts";
export { topicAudience } from "./topic-audience.ts";
export {
  type SubscribeOptions,
  type Subscribers,
  type SubscriptionPage,
  type TopicListInput,
  type TopicPage,
  type TopicPageInput,
  Topics,
  type TopicsContext,
} from "./topics.ts";
export type {
  AudienceStep,
  BelowPath,
  FoundMembers,
  ItemsTurn,
  KeyRange,
  OpenAudience,
  PartOfAudience,
  Subscription,
  SubscriptionTerms,
  TopicName,
  TopicsStorage,
  WrittenMembers,
} from "./topics-storage.ts";
