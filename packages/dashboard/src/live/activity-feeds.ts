import { type Clock, type Logger, type NotificationEvents, systemClock } from "@belfry/core";
import type { DashboardService, DashboardTenant } from "../dashboard-options.ts";
import { ActivityFeed, type LiveListener } from "./activity-feed.ts";

/** The feeds of the tenants that some page follows. A tenant without followers costs nothing. */
export class ActivityFeeds {
  readonly #service: DashboardService;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #feeds = new Map<string, ActivityFeed>();
  #offs: readonly (() => void)[] = [];

  constructor(service: DashboardService, logger: Logger, clock: Clock = systemClock) {
    this.#service = service;
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Follows a tenant; the returned function ends it. With `lastId`, the listener first gets what came after that notification. */
  follow(tenant: DashboardTenant, listener: LiveListener, lastId: string | undefined): () => void {
    const { tenantId } = tenant;
    const feed = this.#feeds.get(tenantId) ?? new ActivityFeed(tenant, { logger: this.#logger, clock: this.#clock });
    this.#feeds.set(tenantId, feed);
    if (this.#offs.length === 0) {
      this.#offs = this.#listen();
    }
    feed.add(listener, lastId);
    return () => {
      feed.remove(listener);
      if (feed.isIdle && this.#feeds.get(tenantId) === feed) {
        this.#feeds.delete(tenantId);
      }
      if (this.#feeds.size === 0) {
        for (const off of this.#offs) {
          off();
        }
        this.#offs = [];
      }
    };
  }

  /** Wakes a feed after changes in this process, so that they show before the next poll. */
  #listen(): readonly (() => void)[] {
    const touch = (tenant: string, touched: { id?: string; userId?: string }) => this.#feeds.get(tenant)?.touch(touched);
    const ofItem = ({ tenant, userId, id }: { tenant: string; userId: string; id?: string }) =>
      touch(tenant, id === undefined ? { userId } : { userId, id });
    const on = <Name extends keyof NotificationEvents>(name: Name, listener: (event: NotificationEvents[Name]) => void) =>
      this.#service.on(name, listener);
    const deliveryEvents = ["pending", "waiting", "sent", "delivered", "failed", "skipped", "cancelled"] as const;
    return [
      on("notification.created", ({ tenant }) => touch(tenant, {})),
      on("item.read", ofItem),
      on("item.deleted", ofItem),
      on("inbox.all_read", ofItem),
      on("inbox.read_deleted", ofItem),
      on("record.completed", ({ tenant, record }) => touch(tenant, { id: record.notificationId })),
      on("record.failed", ({ tenant, record }) => touch(tenant, { id: record.notificationId })),
      on("send.changed", ({ tenant, id }) => touch(tenant, { id })),
      ...deliveryEvents.map((name) => on(`delivery.${name}`, ({ delivery }) => touch(delivery.tenant, { id: delivery.notificationId }))),
    ];
  }
}
