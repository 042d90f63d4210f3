import { type CallOptionsOf, FanOut, type PreparedNotification, type PreparedSend } from "../creating/index.ts";
import { type Acting, type ClaimedDelivery, channelsByName, type Send, type Sends, type TypedSendInput } from "../delivery/index.ts";
import { systemClock } from "../foundation/clock.ts";
import { DEFAULT_TENANT, guarded } from "../foundation/context.ts";
import { uuidV7 } from "../foundation/ids.ts";
import { consoleLogger } from "../foundation/logger.ts";
import type { ClaimedRecord, Hub } from "../hub/index.ts";
import type { Created, Inbox } from "../inbox/index.ts";
import type { CreateInput, DataByType, NotificationTypes } from "../notifications/index.ts";
import type { Operator } from "../operator/index.ts";
import { Retention, type SweepResult } from "../privacy/index.ts";
import {
  type Feeds,
  HubFeeds,
  InboxFeeds,
  memoryTransport,
  Presence,
  routeSignals,
  type Signal,
  type Transport,
} from "../realtime/index.ts";
import type { LeasedWorker } from "../work/leased-worker.ts";
import { ApiKeys } from "./api-keys.ts";
import { checkOptions } from "./check-options.ts";
import { type ContextParts, type Contexts, contextsOf, type Writers, writersOf } from "./contexts.ts";
import { EventEmitter, type NotificationEvents, type NotificationListener } from "./events.ts";
import { Lifecycle, type LifecycleParts } from "./lifecycle.ts";
import type { HubOptions, NotificationServiceOptions } from "./service-options.ts";
import { TenantNotifications } from "./tenant-notifications.ts";
import { deliveryWorker, hubWorker } from "./workers.ts";

/** So many tenants are kept in memory; a name may come from outside, so there is an end. */
const MAX_TENANTS = 10_000;

/**
 * Notifications inside the host's own process and database.
 *
 * @example
 * ```ts
 * const notifications = new NotificationService({ storage: sqliteStorage("app.db") });
 * await notifications.start();
 * await notifications.create({ to: "user_123", type: "order_update", title: "Order shipped" });
 * ```
 */
export class NotificationService<
  Data extends DataByType = DataByType,
  Tx = unknown,
  Written extends void | Promise<void> = void | Promise<void>,
> {
  /** The declared notification types. */
  readonly types: NotificationTypes;
  readonly #options: NotificationServiceOptions<Data, Tx, Written>;
  readonly #contexts: Contexts<Tx, Written>;
  readonly #writers: Writers;
  readonly #events: EventEmitter;
  readonly #presence: Presence;
  /** Made once a tenant; the one made first goes when there are more than {@link MAX_TENANTS}. */
  readonly #tenants = new Map<string, TenantNotifications<Data, Tx, Written>>();
  readonly #transport: Transport;
  readonly #feeds: Feeds;
  readonly #fanOut: FanOut;
  readonly #retention: Retention;
  readonly #deliveryWorker: LeasedWorker<ClaimedDelivery> | null;
  readonly #hubWorker: LeasedWorker<ClaimedRecord> | null;
  /** API keys that Belfry keeps, for clients of the HTTP contracts. */
  readonly apiKeys: ApiKeys;
  readonly #default: TenantNotifications<Data, Tx, Written>;
  readonly #lifecycle: Lifecycle;

  /** @throws BelfryError `CONFIGURATION` for options that cannot be meant */
  constructor(options: NotificationServiceOptions<Data, Tx, Written>) {
    checkOptions(options);
    const { storage, logger = consoleLogger, clock = systemClock } = options;
    this.#options = options;
    this.types = options.types ?? {};
    this.#transport = options.transport ?? storage.transport?.() ?? memoryTransport();
    const ids = options.ids ?? uuidV7(clock);
    this.#lifecycle = new Lifecycle(this.#parts());
    const ready = () => this.#lifecycle.ready();
    const readyForWork = () => this.#lifecycle.readyForWork();
    this.#events = new EventEmitter();
    const instance = ids.next();
    const ask = () => this.#publish([{ topic: "presence", instance }]);
    this.#presence = new Presence({ storage: storage.presence, instance, ask, clock, logger, ready: readyForWork });
    this.#writers = writersOf(storage, { ids, clock });
    const parts: ContextParts<Tx, Written> = {
      base: { clock, ids, logger, ready, requireRunning: () => this.#lifecycle.requireRunning() },
      storage,
      writers: this.#writers,
      types: this.types,
      channels: channelsByName(options.channels ?? []),
      directory: options.directory ?? null,
      presence: this.#presence,
      events: this.#events,
      wake: {
        fanOut: () => this.#fanOut.loop.wake(),
        deliverDue: () => this.#deliveryWorker?.wake(),
        processDue: () => this.#hubWorker?.wake(),
      },
      publish: (signals) => this.#publish(signals),
    };
    this.#contexts = contextsOf(parts);
    const shared = { transport: this.#transport, clock, logger, ready: () => this.#lifecycle.listening() };
    this.#feeds = {
      inbox: new InboxFeeds({ ...shared, inbox: storage.inbox, presence: this.#presence }),
      hub: new HubFeeds({ ...shared, hub: storage.hub }),
    };
    const background = contextsOf({ ...parts, base: { ...parts.base, ready: readyForWork } });
    this.#fanOut = new FanOut(background.creating);
    this.#retention = new Retention(background.privacy, options.retention ?? {});
    this.#deliveryWorker = deliveryWorker(background.delivery, options.delivery ?? {});
    this.#hubWorker = hubWorker(background.hub, (options.hub ?? {}) as unknown as HubOptions);
    this.#default = this.tenant(options.defaultTenant ?? DEFAULT_TENANT);
    this.apiKeys = new ApiKeys({ storage, clock, ready, defaultTenant: this.#default.tenantId });
  }

  /**
   * Creates a notification for one user or many. Resolves after commit: what it acknowledged is in the database.
   * Creates that are in flight together share a transaction. A list of more than 1,000 users resolves once the
   * notification and the list are durable; their inboxes are then filled in the background, also after a crash.
   *
   * With `tx`, an open transaction of the host on the same database, it is written through that: it commits or
   * vanishes with the host's own data, and nobody is told before the commit. A synchronous driver (better-sqlite3)
   * cannot await inside a transaction, so `tx` is refused there: use {@link prepare}.
   *
   * @throws BelfryError `VALIDATION_ERROR`, `UNKNOWN_TYPE`; `WRONG_TRANSACTION`; `STORAGE_UNAVAILABLE` (try again) or
   *   `STORAGE_FAILED`. Nothing is written then, except where a connection broke before the answer, time and again: nobody
   *   knows in that case, and `STORAGE_UNAVAILABLE` is all that can be said.
   * @example
   * ```ts
   * await notifications.create({ to: ["ann", "bob"], type: "comment", title: "New comment", data: { post: 7 } });
   * ```
   */
  create<Type extends keyof Data = never>(input: CreateInput<Data, Type>, options?: CallOptionsOf<Tx, Written>): Promise<Created> {
    return this.#default.create(input, options);
  }

  /**
   * Checks a notification now, to be written later inside the host's transaction.
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
  prepare<Type extends keyof Data = never>(input: CreateInput<Data, Type>): Promise<PreparedNotification<Tx, Written>> {
    return this.#default.prepare(input);
  }

  /**
   * Sends a notification over channels, to be tracked, retried and, where it fails, followed by a fallback. Resolves
   * after commit; it is delivered in the background. With `tx`, see {@link create}.
   *
   * @throws BelfryError `VALIDATION_ERROR`, `UNKNOWN_TYPE`, `CONTENT_TOO_LONG`, `INVALID_RECIPIENTS`,
   *   `CHANNEL_NOT_CONFIGURED`, `IDEMPOTENCY_KEY_REUSED`; otherwise as {@link create}. Nothing is written then.
   * @example
   * ```ts
   * const { id } = await notifications.send({ channel: "email", to: "ann@example.com", subject: "Hello", content: "Hi Ann" });
   * const { status } = await notifications.sends.get(id);
   * ```
   */
  send<Type extends keyof Data = never>(input: TypedSendInput<Data, Type>, options?: CallOptionsOf<Tx, Written>): Promise<Send> {
    return this.#default.send(input, options);
  }

  /** Checks a send now, to be written later inside the host's transaction: see {@link prepare}. */
  prepareSend<Type extends keyof Data = never>(input: TypedSendInput<Data, Type>): Promise<PreparedSend<Tx, Written>> {
    return this.#default.prepareSend(input);
  }

  /** The default tenant's sends: tracking, cancelling, retrying. */
  get sends(): Sends {
    return this.#default.sends;
  }

  /** The default tenant's operator. Offer it only to those who run the application. */
  get operator(): Operator {
    return this.#default.operator;
  }

  /** The default tenant's event hub: events, handlers, identities. */
  get hub(): Hub {
    return this.#default.hub;
  }

  /** One user's inbox in the default tenant. */
  inbox(userId: string): Inbox {
    return this.#default.inbox(userId);
  }

  /**
   * Deletes a notification of any kind for good: its items in every inbox, deliveries, attempts and records. It works in steps;
   * a call that was interrupted may be repeated. The audit log keeps a line.
   *
   * @throws BelfryError `NOT_FOUND`; `VALIDATION_ERROR` for an actor that cannot be
   */
  delete(id: string, acting?: Acting): Promise<void> {
    return this.#default.delete(id, acting);
  }

  /** Removes now what is older than the option `retention` allows, in all tenants: for hosts driven by cron, and for tests. */
  sweep(): Promise<SweepResult> {
    return this.#retention.sweep();
  }

  /** The same API, bound to another tenant. Tenants never see each other's data. */
  tenant(tenantId: string): TenantNotifications<Data, Tx, Written> {
    const known = this.#tenants.get(tenantId);
    if (known) {
      return known;
    }
    const tenant = new TenantNotifications<Data, Tx, Written>(tenantId, {
      contexts: this.#contexts,
      storage: this.#options.storage,
      feeds: this.#feeds,
    });
    const [oldest] = this.#tenants.keys();
    if (this.#tenants.size >= MAX_TENANTS && oldest !== undefined) {
      this.#tenants.delete(oldest);
    }
    this.#tenants.set(tenantId, tenant);
    return tenant;
  }

  /** The default tenant. */
  get defaultTenant(): TenantNotifications<Data, Tx, Written> {
    return this.#default;
  }

  /**
   * Calls `listener` for every such event of this process, after its commit. What it throws, or rejects with, is logged.
   *
   * @returns a function that takes the listener off
   */
  on<Name extends keyof NotificationEvents>(name: Name, listener: NotificationListener<Name>): () => void {
    const { logger = consoleLogger } = this.#options;
    return this.#events.on(name, (event) => guarded(logger, () => listener(event), "A listener of Belfry's events"));
  }

  /**
   * Opens the storage, takes up what a crash left unfinished, and starts the background work. Without it, everything
   * asked for still happens; only what an earlier process left behind waits. Several starts at once are one; after
   * {@link stop}, it may be started again, and a start during a stop waits for it.
   *
   * @throws BelfryError `SERVICE_STOPPED` when it is stopped meanwhile; `STORAGE_UNAVAILABLE`, `STORAGE_FAILED`
   */
  start(): Promise<void> {
    return this.#lifecycle.start();
  }

  /**
   * Finishes the calls in flight, stops the background work and closes what Belfry itself opened. Calls that come later
   * are refused with `SERVICE_STOPPED`. Several stops at once are one, and all wait for it. Subscriptions rest, and go on after
   * the next {@link start}.
   *
   * @throws what the storage or the transport threw while it was closed; the service is stopped all the same
   */
  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }

  /**
   * Does what is due, and resolves once nothing is left that can be done now: for tests, and for hosts driven by cron.
   */
  async runDue(): Promise<void> {
    this.#lifecycle.requireRunning();
    await this.#lifecycle.readyForWork();
    await this.#fanOut.loop.runNow();
    await this.#deliveryWorker?.runDue();
    await this.#hubWorker?.runDue();
  }

  /** To be called once after the database was restored from a backup: clients that saw lost numbers start over. */
  async renewEpochs(): Promise<void> {
    using _call = await this.#lifecycle.ready();
    await this.#options.storage.inbox.renewEpochs();
    this.#feeds.inbox.onGap();
  }

  /** What the service's start and stop consist of. */
  #parts(): LifecycleParts {
    const { storage } = this.#options;
    return {
      open: () => storage.open(),
      listen: () => this.#transport.start(routeSignals(this.#feeds, this.#presence)),
      resume: () => {
        for (const part of this.#background()) {
          part?.start();
        }
      },
      wake: () => {
        this.#fanOut.loop.wake();
        this.#deliveryWorker?.wake();
        this.#hubWorker?.wake();
        if (this.#retention.isNeeded) {
          this.#retention.loop.wake();
        }
        this.#feeds.inbox.wake();
        this.#feeds.hub.wake();
      },
      drain: async () => {
        await Promise.all([this.#fanOut.loop.stop(), this.#retention.loop.stop()]);
        await Promise.all([this.#deliveryWorker?.stop(), this.#hubWorker?.stop()]);
        // What handlers under way have created.
        const { writer, sendWriter, eventWriter } = this.#writers;
        await Promise.all([writer.drain(), sendWriter.drain(), eventWriter.drain()]);
      },
      close: [
        () => this.#feeds.inbox.stop(),
        () => this.#feeds.hub.stop(),
        () => this.#presence.stop(),
        () => this.#transport.stop(),
        () => storage.close(),
      ],
    };
  }

  /** Everything that rests while the service is stopped. */
  #background() {
    return [
      this.#fanOut.loop,
      this.#retention.loop,
      this.#deliveryWorker,
      this.#hubWorker,
      this.#presence,
      this.#feeds.inbox,
      this.#feeds.hub,
    ];
  }

  #publish(signals: readonly Signal[]): void {
    if (signals.length > 0) {
      this.#transport.publish(signals);
    }
  }
}
