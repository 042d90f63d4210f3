import { channelIssue, type DecisionsContext, Preferences } from "../decisions/index.ts";
import { compareBytewise } from "../foundation/compare-bytewise.ts";
import type { Issue } from "../foundation/errors.ts";
import { type ChecksOf, IssueList, requireInput, requireNone, validationError } from "../foundation/issue-list.ts";
import { KEY_PAGE, type KeyPageInput, keyPage, keyRange } from "../foundation/key-pages.ts";
import { describe, NAME_RULE, oneOf, stringIssue, textIssue } from "../foundation/parse-text.ts";
import { MAX_AT_ONCE, topicIssue } from "../notifications/index.ts";
import type { Subscription, SubscriptionTerms, TopicName, TopicsStorage } from "./topics-storage.ts";

/** The parts that topics use. */
export interface TopicsContext extends DecisionsContext {
  readonly topics: TopicsStorage;
}

/** How users subscribe to a topic. What is left out stays as it is. */
export interface SubscribeOptions {
  /** Whether the subscription counts for the topics below this one, too: one to `post:7` for `post:7/replies`. @default false, for a new one */
  readonly deep?: boolean;
  /** The only channels that it is meant for; null for every channel. @default null, for a new one */
  readonly channels?: readonly string[] | null;
}

/** One user, a list of up to 1,000, or any number as a stream. */
export type Subscribers = string | readonly string[] | AsyncIterable<string>;

/** A page of a list of subscriptions. */
export interface TopicPageInput extends KeyPageInput {}

/** A page of a list of topics, or of a user's subscriptions. */
export interface TopicListInput extends TopicPageInput {
  /** Only this topic and those below it: `post:7` finds `post:7` and `post:7/replies`, and not `post:77`. @default every topic */
  readonly prefix?: string;
}

/** A page of subscriptions. */
export interface SubscriptionPage {
  readonly subscriptions: readonly Subscription[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

/** A page of topics. */
export interface TopicPage {
  readonly topics: readonly string[];
  /** Null on the last page. */
  readonly nextCursor: string | null;
}

const MAX_CHANNELS = 20;

const LIST: ChecksOf<TopicListInput> = { ...KEY_PAGE, prefix: (value, name) => topicIssue(value, [name]) };

/**
 * Who wants to hear of what: `notifications.topics`. A topic is a path of segments, such as `post:7` or `post:7/replies`; it is there as
 * long as somebody subscribes to it. Create for it with `create({ topic })`.
 *
 * @example
 * ```ts
 * await notifications.topics.subscribe("post:7", ["ann", "bob"]);
 * await notifications.create({ topic: "post:7", except: "bob", title: "Bob replied" });
 * ```
 */
export class Topics {
  readonly #tenant: string;
  readonly #context: TopicsContext;

  /** Hosts do not call this. They use `notifications.topics` or `notifications.tenant(id).topics`. */
  constructor(tenant: string, context: TopicsContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /**
   * Subscribes users to a topic, or changes their subscriptions; it may be repeated. A stream is written in pieces of 1,000: where it fails,
   * the pieces before stay. Returns how many users are new.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a topic, a user id or a channel that cannot be, and for a list of more than 1,000
   */
  async subscribe(topic: string, users: Subscribers, options: SubscribeOptions = {}): Promise<number> {
    const to = this.#name(topic);
    const terms = this.#terms(options);
    const { topics, clock } = this.#context;
    return await this.#inPieces(users, async (userIds) => {
      await this.#context.beginInboxes(this.#tenant, userIds);
      return topics.subscribe(to, userIds, { ...terms, at: new Date(clock.now()) });
    });
  }

  /** Ends subscriptions of users to a topic, and to no other; it may be repeated. Returns how many there were. @throws BelfryError `VALIDATION_ERROR` */
  async unsubscribe(topic: string, users: Subscribers): Promise<number> {
    const from = this.#name(topic);
    return await this.#inPieces(users, (userIds) => this.#context.topics.unsubscribe(from, userIds));
  }

  /** A page of the subscriptions of a topic, by user id. @throws BelfryError `VALIDATION_ERROR`, `INVALID_CURSOR` */
  async subscribers(topic: string, page: TopicPageInput = {}): Promise<SubscriptionPage> {
    const of = this.#name(topic);
    requireInput("topics.subscribers", page, KEY_PAGE);
    const { after, limit } = keyRange(page);
    using _call = await this.#context.ready();
    const found = await this.#context.topics.subscribers(of, { after, limit: limit + 1 });
    const { shown, nextCursor } = keyPage(found, { limit, keyOf: ({ userId }) => userId });
    return { subscriptions: shown, nextCursor };
  }

  /** A page of the subscriptions of a user, by topic. @throws BelfryError `VALIDATION_ERROR`, `INVALID_CURSOR` */
  async subscriptions(userId: string, page: TopicListInput = {}): Promise<SubscriptionPage> {
    requireNone([textIssue(userId, ["user_id"], NAME_RULE)]);
    requireInput("topics.subscriptions", page, LIST);
    const { after, limit } = keyRange(page);
    using _call = await this.#context.ready();
    const range = { prefix: page.prefix ?? null, after, limit: limit + 1 };
    const found = await this.#context.topics.subscriptions({ tenant: this.#tenant, userId }, range);
    const { shown, nextCursor } = keyPage(found, { limit, keyOf: ({ topic }) => topic });
    return { subscriptions: shown, nextCursor };
  }

  /** A page of the topics that have subscribers, by name. @throws BelfryError `VALIDATION_ERROR`, `INVALID_CURSOR` */
  async list(page: TopicListInput = {}): Promise<TopicPage> {
    requireInput("topics.list", page, LIST);
    const { after, limit } = keyRange(page);
    using _call = await this.#context.ready();
    const found = await this.#context.topics.topics(this.#tenant, { prefix: page.prefix ?? null, after, limit: limit + 1 });
    const { shown, nextCursor } = keyPage(found, { limit, keyOf: (topic) => topic });
    return { topics: shown, nextCursor };
  }

  /**
   * Mutes a topic for a user: the subscription stays, and nothing comes by it. It is the choice `off` of `preferences` about the topic,
   * over every channel. What is required comes all the same, and what is created for the user by name.
   *
   * @throws BelfryError `VALIDATION_ERROR`; `INVALID_STATE` for a user with 1,000 choices
   */
  mute(topic: string, userId: string): Promise<void> {
    return new Preferences(this.#tenant, this.#context).mute(userId, { topic });
  }

  /** Ends a mute. Returns whether there was one. @throws BelfryError `VALIDATION_ERROR` */
  unmute(topic: string, userId: string): Promise<boolean> {
    return new Preferences(this.#tenant, this.#context).unmute(userId, { topic });
  }

  #name(topic: string): TopicName {
    requireNone([topicIssue(topic, ["topic"])]);
    return { tenant: this.#tenant, topic };
  }

  #terms(options: SubscribeOptions): SubscriptionTerms {
    const { channels: known } = this.#context;
    const checks: ChecksOf<SubscribeOptions> = { deep: oneOf([true, false]), channels: (value) => channelsIssue(known, value) };
    requireInput("topics.subscribe", options, checks);
    const { deep, channels } = options;
    return { deep, channels: Array.isArray(channels) ? [...new Set(channels as readonly string[])] : channels };
  }

  /** Hands users to a call, 1,000 at the most each time, and adds up what it returns. */
  async #inPieces(users: Subscribers, call: (userIds: readonly string[]) => Promise<number>): Promise<number> {
    if (isStream(users)) {
      return await this.#streamed(users, call);
    }
    const list: readonly unknown[] = Array.isArray(users) ? users : [users];
    if (list.length > MAX_AT_ONCE) {
      const message = `must name at most ${MAX_AT_ONCE}, names ${list.length}; split the list, or pass a stream`;
      throw validationError([{ path: ["users"], type: "too_long", message }]);
    }
    const userIds = checkedUsers(list, (index) => (Array.isArray(users) ? ["users", index] : ["users"]));
    using _call = await this.#context.ready();
    return userIds.length === 0 ? 0 : await call(userIds);
  }

  async #streamed(users: AsyncIterable<string>, call: (userIds: readonly string[]) => Promise<number>): Promise<number> {
    let sum = 0;
    let piece: string[] = [];
    const flush = async () => {
      const userIds = checkedUsers(piece, () => ["users"]);
      piece = [];
      using _call = await this.#context.ready();
      sum += userIds.length === 0 ? 0 : await call(userIds);
    };
    for await (const userId of users) {
      piece.push(userId);
      if (piece.length === MAX_AT_ONCE) {
        await flush();
      }
    }
    await flush();
    return sum;
  }
}

function isStream(users: unknown): users is AsyncIterable<string> {
  return typeof users === "object" && users !== null && Symbol.asyncIterator in users;
}

/** The users, each once, sorted bytewise. */
function checkedUsers(list: readonly unknown[], pathOf: (index: number) => Issue["path"]): readonly string[] {
  const issues = new IssueList();
  for (const [index, userId] of list.entries()) {
    issues.add(textIssue(userId, pathOf(index), NAME_RULE));
  }
  issues.done();
  return [...new Set(list as readonly string[])].sort(compareBytewise);
}

function channelsIssue(known: DecisionsContext["channels"], value: unknown): Issue | null {
  if (value === null) {
    return null;
  }
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_CHANNELS) {
    const message = `must be a list of 1 to ${MAX_CHANNELS} channels, or null for every channel; is ${describe(value)}`;
    return { path: ["channels"], type: "value_error", message };
  }
  const issues = value.map((channel: unknown, index) =>
    typeof channel === "string" ? channelIssue(known, channel, ["channels", index]) : stringIssue(channel, "channels"),
  );
  return issues.find((issue) => issue !== null) ?? null;
}
