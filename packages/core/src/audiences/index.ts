export type {
  BelowPath,
  KeyRange,
  ListedTopic,
  Subscription,
  SubscriptionTerms,
  TopicName,
  TopicsStorage,
} from "./topics-storage.ts";
