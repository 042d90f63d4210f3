export { findNextPart, wantingItems } from "./find-members.ts";
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
  KeyRange,
  OpenAudience,
  PartOfAudience,
  Subscription,
  SubscriptionTerms,
  TopicName,
  TopicsStorage,
} from "./topics-storage.ts";
