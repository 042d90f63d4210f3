import type { Owner } from "../foundation/context.ts";
import type { ErasureStep, ExportStep, StepRange } from "../foundation/json.ts";

/** A topic of a tenant. */
export interface TopicName {
  readonly tenant: string;
  readonly topic: string;
}

/** A user's wish to get what is created for a topic. */
export interface Subscription {
  readonly topic: string;
  readonly userId: string;
  /** Whether it counts for the topics below this one, too: one to `post:7` for `post:7/replies`. */
  readonly deep: boolean;
  /** The only channels that it is meant for; null for every channel. */
  readonly channels: readonly string[] | null;
  readonly createdAt: Date;
}

/** What a call says of subscriptions. What is undefined stays as it is; a new subscription is not deep, and meant for every channel. */
export interface SubscriptionTerms {
  readonly deep: boolean | undefined;
  readonly channels: readonly string[] | null | undefined;
}

/** A page of a list in bytewise order. */
export interface KeyRange {
  /** The last key of the page before; null begins at the start. */
  readonly after: string | null;
  readonly limit: number;
}

/** The topics at or below a path; null for all. */
export interface BelowPath extends KeyRange {
  readonly prefix: string | null;
}

/** The part of a storage that keeps topics and their subscriptions. Its queries are scoped by tenant. */
export interface TopicsStorage {
  /** Subscribes distinct users, sorted bytewise, or changes their subscriptions. It may be repeated. Returns how many are new. */
  subscribe(to: TopicName, userIds: readonly string[], terms: SubscriptionTerms & { readonly at: Date }): Promise<number>;

  /** Ends subscriptions. Returns how many there were. */
  unsubscribe(from: TopicName, userIds: readonly string[]): Promise<number>;

  /** Returns the subscriptions of a topic, sorted by user id bytewise; `after` is a user id. */
  subscribers(of: TopicName, range: KeyRange): Promise<readonly Subscription[]>;

  /** Returns the subscriptions of a user, sorted by topic bytewise; `after` is a topic. */
  subscriptions(owner: Owner, range: BelowPath): Promise<readonly Subscription[]>;

  /** Returns the topics that have subscribers, sorted bytewise; `after` is a topic. */
  topics(tenant: string, range: BelowPath): Promise<readonly string[]>;

  /** Ends subscriptions of a user, up to `limit`. */
  erase(owner: Owner, limit: number): Promise<ErasureStep>;

  /** Reads subscriptions of a user. */
  export(owner: Owner, range: StepRange): Promise<ExportStep<Omit<Subscription, "userId">>>;
}
