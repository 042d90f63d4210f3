import type { Owner } from "../foundation/context.ts";
import type { ErasureStep, ExportStep, StepRange } from "../foundation/json.ts";
import type { FanOutChunk, FanOutTurn } from "../inbox/index.ts";
import type { MemberGroup, Notification, TopicMember, TopicSource } from "../notifications/index.ts";

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

/** Users of an audience, sorted bytewise. */
export interface FoundMembers {
  readonly members: readonly TopicMember[];
  /** The last user who was looked at; null when nobody is left. */
  readonly last: string | null;
}

/** An audience of which users are still to be found. */
export interface OpenAudience {
  readonly notification: Notification;
  /** Opaque to core. */
  readonly key: string;
  /** Opaque to core: it changes with every step. */
  readonly mark: string;
  readonly source: TopicSource;
  /** The last user who was found; null before the first. */
  readonly after: string | null;
  /** How many recipients come before the next one. */
  readonly place: number;
  readonly hasDeliveries: boolean;
  /** Whether nobody is to get it any more: it has expired, or was cancelled. */
  readonly isOver: boolean;
}

/** A part of an audience, to be written by the fan-out. */
export interface PartOfAudience extends MemberGroup {
  readonly place: number;
}

/** What a step found. */
export interface AudienceStep {
  readonly parts: readonly PartOfAudience[];
  /** The last user who was looked at; null when nobody is left. */
  readonly last: string | null;
  /** How many recipients come before the next one. */
  readonly place: number;
}

/** When the items of a step are written, and whose are told. */
export interface ItemsTurn extends Pick<FanOutTurn, "isWanted"> {
  /** The items' creation time. */
  readonly at: Date;
}

/**
 * What became of a step that writes items by itself: it wrote them; somebody has moved the audience on, or is at work on it at this
 * moment; or they cannot be written just now, as an inbox is held or one of them fails. Then the fan-out is to have them, which writes the others.
 */
export type WrittenMembers =
  | (Pick<FanOutChunk, "items" | "isUntold"> & { readonly as: "written" })
  | { readonly as: "moved" | "taken" | "refused" };

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

  /** How many deliveries a part of a large audience has. */
  readonly partDeliveries: number;

  /** How many parts with items alone are found in one step: where to commit costs much beside the users of a part, several. */
  readonly partsOfStep: number;

  /** Whether a topic has more than `count` subscriptions. */
  hasMoreThan(of: TopicName, count: number): Promise<boolean>;

  /**
   * Finds users of an audience, each once, sorted bytewise: those who are named, and those whose subscriptions count. It looks at `limit` users;
   * of these, the ones of `except` are left out. Who comes by several topics has the first of them, and all the channels of the subscriptions together.
   */
  findMembers(tenant: string, source: TopicSource, range: KeyRange): Promise<FoundMembers>;

  /**
   * An audience of which users are still to be found, and no part is left to be written: the oldest one of the tenant whose turn it is. Null
   * for none.
   *
   * @param after the tenant that had its turn last: see `FanOutTurn.after`
   */
  openAudience(at: Date, after?: string): Promise<OpenAudience | null>;

  /** Hands parts to the fan-out and moves the audience on, in one transaction. Does nothing if somebody else has moved it meanwhile. */
  moveOn(audience: Pick<OpenAudience, "key" | "mark" | "hasDeliveries">, step: AudienceStep): Promise<void>;

  /**
   * Writes the items of the next users of an audience that has no deliveries, straight from their subscriptions, and moves the audience on,
   * in one transaction. It looks at as many users as a step takes, and leaves out those that {@link findMembers} leaves out and whose channels lack
   * the inbox. Its notification has neither a group nor a key that replaces.
   */
  writeMembers(audience: OpenAudience, turn: ItemsTurn): Promise<WrittenMembers>;

  /** Ends subscriptions of a user, up to `limit`; last, takes their name out of the audiences that are still being found. */
  erase(owner: Owner, limit: number): Promise<ErasureStep>;

  /** Reads subscriptions of a user. */
  export(owner: Owner, range: StepRange): Promise<ExportStep<Omit<Subscription, "userId">>>;
}
