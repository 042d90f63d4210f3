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
export type { BelowPath, KeyRange, Subscription, SubscriptionTerms, TopicName, TopicsStorage } from "./topics-storage.ts";
