import { Devices, Topics } from "../audiences/index.ts";
import {
  type CallOptionsOf,
  type CreateRules,
  createNotification,
  createTracked,
  HOST_RULES,
  type PreparedNotification,
  prepareNotification,
  refuseSynchronous,
  txOf,
} from "../creating/index.ts";
import { Preferences } from "../decisions/index.ts";
import {
  type Acting,
  type AskedByContract,
  type ChannelExplanation,
  type ChannelInfo,
  describeChannels,
  type ExplainInput,
  explain,
  Receipts,
  requireActing,
  type Send,
  Suppressions,
  TrackedNotifications,
} from "../delivery/index.ts";
import type { Owner } from "../foundation/context.ts";
import { requireNone, validationError } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import { Hub } from "../hub/index.ts";
import { type Created, Inbox, type InboxItem, listTenant } from "../inbox/index.ts";
import type { CreateInput, DataByType, TopicInput, Typed, UntypedCreateInput, UntypedTopicInput } from "../notifications/index.ts";
import { type Activity, Operator } from "../operator/index.ts";
import { type DeletedUser, deleteNotification, deleteUser, exportUser, namedUser, type UserNames } from "../privacy/index.ts";
import type { Feeds } from "../realtime/index.ts";
import type { ServiceContext, TenantParts } from "./service-parts.ts";

const CONTRACT_RULES: CreateRules = { kind: "message", declaredTypesOnly: false };

const USER_ID = ["user_id"];

/**
 * The notifications of one tenant: what `notifications.tenant("acme")` returns.
 *
 * @example
 * ```ts
 * const acme = notifications.tenant("acme");
 * await acme.create({ to: "ann", title: "Welcome" });
 * const { unread } = await acme.inbox("ann").counts();
 * ```
 */
export class TenantNotifications<
  Data extends DataByType = DataByType,
  Tx = unknown,
  Written extends void | Promise<void> = void | Promise<void>,
  Made extends DataByType = Data,
> extends TrackedNotifications {
  readonly tenantId: string;
  readonly #context: ServiceContext<Tx, Written>;
  readonly #feeds: Feeds;
  /** The event hub: events that services push in, handlers that process them, and who their senders are. */
  readonly hub: Hub;
  /** What users want to get, and when. */
  readonly preferences: Preferences<keyof Data & string>;
  /** Who subscribes to which topics. */
  readonly topics: Topics;
  /** The phones and browsers of users, for push. */
  readonly devices: Devices;
  /** The addresses that nothing is delivered to. */
  readonly suppressions: Suppressions;
  /** What providers report of deliveries after they took them. */
  readonly receipts: Receipts;
  /** Shows what happened, and why. Offer it only to those who run the application. */
  readonly operator: Operator;

  /** Hosts call `notifications.tenant(id)` instead. */
  constructor(tenantId: string, { context, feeds }: TenantParts<Tx, Written>) {
    requireNone([textIssue(tenantId, ["tenant"], NAME_RULE)]);
    super(tenantId, context);
    this.tenantId = tenantId;
    this.#context = context;
    this.#feeds = feeds;
    this.hub = new Hub(tenantId, context, feeds.hub);
    this.preferences = new Preferences<keyof Data & string>(tenantId, context);
    this.topics = new Topics(tenantId, context);
    this.devices = new Devices(tenantId, context);
    this.suppressions = new Suppressions(tenantId, context);
    this.receipts = new Receipts(tenantId, context);
    this.operator = new Operator(tenantId, context);
  }

  /**
   * Creates a notification for the subscribers of topics, and for those named beside. Whoever is in several parts gets it once, `except` wins, and
   * who is named gets it whatever they muted. Up to 1,000 have it when it resolves; beyond, it resolves once the notification is durable, and
   * subscribers are found in the background, in the order of their ids.
   *
   * @throws BelfryError as for users
   * @example
   * ```ts
   * await notifications.create({ topic: "post:7", except: author.id, title: "New reply" });
   * ```
   */
  create<Type extends keyof Data = never>(input: TopicInput<Data, Type>, options?: CallOptionsOf<Tx, Written>): Promise<Created>;
  /**
   * Creates a notification for users and addresses. Resolves after the commit: up to 1,000 users have it in their inboxes then.
   * Creates that are in flight together share a transaction.
   *
   * For inboxes alone, the inbox item is the delivery. From 1,001 recipients on it resolves once the notification and
   * their list are durable, with no `items`: items and deliveries follow in the background, also after a crash. A notification with
   * another channel, an address, a fallback, a schedule or an idempotency key has deliveries, made in the background, retried
   * and tracked by its id: see {@link get}, {@link deliveries}, {@link cancel} and {@link retry}.
   *
   * With `tx`, it is written through an open transaction of the host on the same database. It commits or rolls back with the
   * host's own data, and nobody is told before the commit. A synchronous driver (better-sqlite3)
   * cannot await inside a transaction, so `tx` is refused there: use {@link prepare}.
   *
   * @throws BelfryError `VALIDATION_ERROR`, `UNKNOWN_TYPE`, `RENDERING_FAILED` from a function of the type; with deliveries also `CONTENT_TOO_LONG`, `INVALID_RECIPIENTS`,
   *   `CHANNEL_NOT_CONFIGURED`, `IDEMPOTENCY_KEY_REUSED`; `WRONG_TRANSACTION`; `STORAGE_UNAVAILABLE` (try again) or
   *   `STORAGE_FAILED`. Nothing is written then, except where a connection broke before the answer, time and again: nobody
   *   knows in that case, and `STORAGE_UNAVAILABLE` is all that can be said.
   * @example
   * ```ts
   * await notifications.create({ to: ["ann", "bob"], type: "comment", title: "New comment", data: { post: 7 } });
   * await notifications.create({ to: { email: "ann@example.com" }, title: "Your invoice", message: "It is attached." });
   * ```
   */
  create<Type extends keyof Data = never>(input: CreateInput<Data, Type>, options?: CallOptionsOf<Tx, Written>): Promise<Created>;
  create(input: unknown, options?: CallOptionsOf<Tx, Written>): Promise<Created> {
    // Without a promise of its own: this is the hottest call.
    return options === undefined ? createNotification(this.#context, this.#request(input, HOST_RULES)) : this.#createWith(input, options);
  }

  async #createWith(input: unknown, options: CallOptionsOf<Tx, Written>): Promise<Created> {
    const tx = txOf(options);
    if (tx === undefined) {
      return createNotification(this.#context, this.#request(input, HOST_RULES));
    }
    refuseSynchronous(this.#context.storage);
    const batch = await prepareNotification<Tx, Written>(this.#context, this.#request(input, HOST_RULES));
    await batch.write(tx);
    return { notification: batch.notification, items: [] };
  }

  /** Checks a notification for the subscribers of topics now, to be written later inside the host's transaction. */
  prepare<Type extends keyof Data = never>(input: TopicInput<Data, Type>): Promise<PreparedNotification<Tx, Written>>;
  /**
   * Checks a notification now, to be written later inside the host's transaction. It takes no `idempotencyKey`.
   *
   * @example
   * ```ts
   * const batch = await notifications.prepare({ to: "user_123", title: "Order received" });
   * db.transaction(() => {
   *   insertOrder.run(order);
   *   batch.write(db);
   * })();
   * ```
   */
  prepare<Type extends keyof Data = never>(input: CreateInput<Data, Type>): Promise<PreparedNotification<Tx, Written>>;
  async prepare(input: unknown): Promise<PreparedNotification<Tx, Written>> {
    return prepareNotification<Tx, Written>(this.#context, this.#request(input, HOST_RULES));
  }

  /** Creates a notification as {@link create} does, for those whose input no compiler has checked, such as a contract. It throws as that does. */
  createUntyped(input: UntypedCreateInput | UntypedTopicInput): Promise<Created> {
    return createNotification(this.#context, this.#request(input, HOST_RULES));
  }

  /**
   * Creates a notification for a contract. It takes any type, because senders over the wire know no declared types, and a category
   * that its sender names, in place of the type's.
   */
  createFromContract(input: UntypedCreateInput, category?: string): Promise<Created> {
    return createNotification(
      this.#context,
      this.#request(input, category === undefined ? CONTRACT_RULES : { ...CONTRACT_RULES, category }),
    );
  }

  /**
   * Creates a notification with deliveries for a contract, whatever its channels. Its type may be undeclared, or stand in its data
   * as `notification_type`, and every recipient must be an address of its channel.
   */
  async trackFromContract(input: UntypedCreateInput | UntypedTopicInput, asked: AskedByContract = {}): Promise<Send> {
    const rules = { ...asked, isContract: true };
    return createTracked(this.#context, { tenant: this.tenantId, input: input as UntypedCreateInput, rules });
  }

  /**
   * Explains what would become of a notification of a type for a user, if it were created: for each channel of the type, whether
   * and when it would go out, why, whose decision that is, and what each rule said. It asks the host's directory and the type's
   * conditions as a delivery would, and changes nothing.
   *
   * @throws BelfryError `VALIDATION_ERROR`, `UNKNOWN_TYPE`; what the type's own condition throws
   * @example
   * ```ts
   * const channels = await notifications.explain("ann", "comment", { data: { post: 7 } });
   * const mail = channels.find(({ channel }) => channel === "email"); // { outcome: "skip", reason: "preference", source: "user type email", … }
   * ```
   */
  async explain(userId: string, type: keyof Data & string, input: ExplainInput = {}): Promise<readonly ChannelExplanation[]> {
    return explain(this.#context, { ...this.#owner(userId), type, input });
  }

  /** The channels of the service, the inbox first: what each takes, and whether it can be used for this tenant. */
  channels(): readonly ChannelInfo[] {
    return describeChannels(this.#context.channels, this.tenantId);
  }

  /** One user's inbox. */
  inbox(userId: string): Inbox<Typed<InboxItem, Made>> {
    return new Inbox<Typed<InboxItem, Made>>(this.#owner(userId), this.#context, this.#feeds.inbox);
  }

  /**
   * Deletes a notification of any kind for good: its items in every inbox, deliveries, attempts and records. It works in steps;
   * a call that was interrupted may be repeated. The audit log keeps a line.
   *
   * @throws BelfryError `NOT_FOUND`; `VALIDATION_ERROR` for an actor that cannot be
   */
  async delete(id: string, acting: Acting = {}): Promise<void> {
    requireActing(id, acting);
    return deleteNotification(this.#context, this.tenantId, { ...acting, id });
  }

  /** Deletes a notification for a contract that knows only those with deliveries. @throws BelfryError `NOT_FOUND` */
  async deleteFromContract(id: string, acting: Acting): Promise<void> {
    requireActing(id, acting);
    return deleteNotification(this.#context, this.tenantId, { ...acting, id, only: "tracked" });
  }

  /**
   * Removes all data of a user: items, deliveries to them, their subscriptions, devices and preferences, and their name in lists of recipients and in the audit log, which
   * keeps a line without a name. Pending deliveries to them are not made. It works in steps; a call that was interrupted may
   * be repeated.
   *
   * @throws BelfryError `VALIDATION_ERROR`; `STORAGE_UNAVAILABLE`, `STORAGE_FAILED`
   * @example
   * ```ts
   * await notifications.deleteUser("ann", { addresses: ["ann@example.com"] });
   * ```
   */
  async deleteUser(userId: string, names: UserNames = {}): Promise<DeletedUser> {
    return deleteUser(this.#context, namedUser("deleteUser", this.#owner(userId), names));
  }

  /**
   * Streams all data of a user as lines of JSON, each with its `record`: `item`, `delivery`, `subscription`, `device`, `choice`, `settings` or `audit`.
   *
   * @throws BelfryError `VALIDATION_ERROR` at the call; `STORAGE_UNAVAILABLE`, `STORAGE_FAILED` while it is read
   * @example
   * ```ts
   * await pipeline(notifications.exportUser("ann"), createWriteStream("ann.jsonl"));
   * ```
   */
  exportUser(userId: string, names: UserNames = {}): AsyncGenerator<string, void, undefined> {
    return exportUser(this.#context, namedUser("exportUser", this.#owner(userId), names));
  }

  /** Returns all that is known of one notification of any kind: see `operator.timeline`. @throws BelfryError `NOT_FOUND` */
  async timeline(id: string): Promise<Activity> {
    return this.operator.timeline(id);
  }

  /** Up to `limit` (1 to 1,000) items of all the tenant's inboxes, newest notification first: for operators, not for users. One that has just come back from a snooze may be missing for five seconds. */
  latest(limit: number): Promise<readonly InboxItem[]> {
    return listTenant(this.#context, this.tenantId, limit);
  }

  #owner(userId: string): Owner {
    const issue = textIssue(userId, USER_ID, NAME_RULE);
    if (issue !== null) {
      throw validationError([issue]);
    }
    return { tenant: this.tenantId, userId };
  }

  #request(input: unknown, rules: CreateRules) {
    return { tenant: this.tenantId, input: input as UntypedCreateInput, rules };
  }
}
