import { Unsubscribing } from "../decisions/index.ts";
import { Receipts } from "../delivery/index.ts";
import { setNewest } from "../foundation/bounds.ts";
import { DEFAULT_TENANT, guarded } from "../foundation/context.ts";
import type { DataByType, NotificationTypes } from "../notifications/index.ts";
import type { RetentionOptions, SweepResult } from "../privacy/index.ts";
import type { WorkerLoad } from "../work/worker-load.ts";
import { ApiKeys } from "./api-keys.ts";
import { checkOptions } from "./check-options.ts";
import { type NotificationEvents, type NotificationListener, requireEvent } from "./events.ts";
import type { Readiness } from "./readiness.ts";
import { ServiceDatabase } from "./service-database.ts";
import type { NotificationServiceOptions } from "./service-options.ts";
import { type ServiceParts, servicePartsOf } from "./service-parts.ts";
import { SocketTickets } from "./socket-tickets.ts";
import { TenantNotifications } from "./tenant-notifications.ts";

/** The most tenants that are kept in memory. There is a limit because names may come from outside. */
const MAX_TENANTS = 10_000;

/**
 * Notifications inside the host's own process and database. Its calls that name no tenant are those of the default tenant.
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
  Made extends DataByType = Data,
> extends TenantNotifications<Data, Tx, Written, Made> {
  /** The declared notification types. */
  readonly types: NotificationTypes;
  /** API keys that Belfry keeps, for clients of the HTTP contracts. */
  readonly apiKeys: ApiKeys;
  /** The database behind the service: what it is, and its migrations. */
  readonly database: ServiceDatabase;
  /** How long data is kept: the option `retention`. What it does not name stays for ever, but for `changesMs`. */
  readonly retention: RetentionOptions;
  /** Tickets that open WebSockets without a credential in their URL; the HTTP contracts issue and take them. */
  readonly socketTickets: SocketTickets;
  /** Reads the links of mails that switch them off; the HTTP handler answers them. Null without `publicUrl` and `linkSecret`. */
  readonly unsubscribing: Unsubscribing | null;
  /**
   * Records receipts for deliveries of any tenant, which they are found by: for a provider that several tenants share, and that you trust to
   * speak for all of them.
   */
  readonly receiptsOfAll: Receipts;
  readonly #parts: ServiceParts<Tx, Written>;
  /** One object for each tenant. The oldest goes when there are more than {@link MAX_TENANTS}. */
  readonly #tenants = new Map<string, TenantNotifications<Data, Tx, Written, Made>>();

  /** @throws BelfryError `CONFIGURATION` for options that are not valid */
  constructor(options: NotificationServiceOptions<Data, Tx, Written, Made>) {
    checkOptions(options);
    const parts = servicePartsOf(options);
    super(options.defaultTenant ?? DEFAULT_TENANT, parts);
    const { context } = parts;
    this.#parts = parts;
    this.types = context.types;
    this.apiKeys = new ApiKeys({ ...context, defaultTenant: this.tenantId });
    this.database = new ServiceDatabase(context.storage.database);
    this.retention = { ...options.retention };
    this.socketTickets = new SocketTickets(context);
    this.receiptsOfAll = new Receipts(null, context);
    this.unsubscribing = context.unsubscribeLinks && new Unsubscribing(context.unsubscribeLinks, context);
  }

  /** Removes now what is older than the option `retention` allows, in all tenants: for hosts driven by cron, and for tests. */
  sweep(): Promise<SweepResult> {
    return this.#parts.retention.sweep();
  }

  /** The same API, bound to another tenant. Tenants never see each other's data. */
  tenant(tenantId: string): TenantNotifications<Data, Tx, Written, Made> {
    const known = tenantId === this.tenantId ? this : this.#tenants.get(tenantId);
    if (known) {
      return known;
    }
    const tenant = new TenantNotifications<Data, Tx, Written, Made>(tenantId, this.#parts);
    setNewest(this.#tenants, [tenantId, tenant], MAX_TENANTS);
    return tenant;
  }

  /** The default tenant. */
  get defaultTenant(): TenantNotifications<Data, Tx, Written, Made> {
    return this;
  }

  /**
   * Calls `listener` for every such event of this process, after its commit. What it throws, or rejects with, is logged.
   *
   * @returns a function that takes the listener off
   */
  on<Name extends keyof NotificationEvents>(name: Name, listener: NotificationListener<Name, Made>): () => void {
    const { context, events } = this.#parts;
    requireEvent(name, listener);
    return events.on(name, (event) =>
      guarded(context.logger, () => listener(event as NotificationEvents<Made>[Name]), "A listener of Belfry's events"),
    );
  }

  /**
   * Opens the storage, continues work that a crash left unfinished, and starts the background work. Calls work without it;
   * only work of an earlier process waits for it. Several starts at once are one. You may start the service again after
   * {@link stop}; a start during a stop waits for it.
   *
   * @throws BelfryError `SERVICE_STOPPED` when it is stopped meanwhile; `STORAGE_UNAVAILABLE`, `STORAGE_FAILED`
   */
  start(): Promise<void> {
    return this.#parts.lifecycle.start();
  }

  /**
   * Announces that this process is going to stop: {@link readiness} says so from now on, and everything goes on. Wait until those who send
   * requests have seen it, then call {@link stop}. A {@link start} takes it back.
   */
  retire(): void {
    this.#parts.lifecycle.retire();
  }

  /**
   * Whether requests should be sent to this process: it has started, with the tables up to date, its database answers within 2 seconds, and
   * it is not about to stop. However often it is called, it asks the database once a second at the most. The option `health` of
   * handlers answers it over HTTP.
   */
  readiness(): Promise<Readiness> {
    return this.#parts.readiness.ask();
  }

  /**
   * Finishes the calls in flight, stops the background work and closes what Belfry itself opened. Calls that come later
   * are refused with `SERVICE_STOPPED`. Several stops at once are one, and all wait for it. Subscriptions rest, and go on after
   * the next {@link start}.
   *
   * @throws what the storage or the transport threw while it was closed; the service is stopped all the same
   */
  stop(): Promise<void> {
    return this.#parts.lifecycle.stop();
  }

  /**
   * Does what is due of the work of its role, and resolves once nothing is left that can be done now: for tests, and for hosts driven by cron.
   */
  async runDue(): Promise<void> {
    const { lifecycle, fanOut, dueItems, retrying, alarms, workers } = this.#parts;
    lifecycle.requireRunning();
    await lifecycle.readyForWork();
    await fanOut.loop.runNow();
    await dueItems.loop.runNow();
    await retrying.loop.runNow();
    for (const worker of workers) {
      await worker.runDue();
    }
    await alarms.loop.runNow();
  }

  /** What the workers of this process do at this moment; those of a process that leaves the work to others are missing. It asks no database. */
  workers(): readonly WorkerLoad[] {
    return this.#parts.context.workers();
  }

  /** The number of users with an open socket or stream in this process. It asks no database. */
  get connectedUsers(): number {
    return this.#parts.feeds.inbox.ownersOf(null).length;
  }

  /** Call it once after you restore the database from a backup. Clients that saw lost numbers start over. */
  async renewEpochs(): Promise<void> {
    const { context, feeds } = this.#parts;
    using _call = await context.ready();
    await context.inbox.renewEpochs();
    feeds.inbox.gap();
  }
}
