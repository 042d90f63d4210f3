import type { Clock } from "../foundation/clock.ts";
import { guarded } from "../foundation/guarded.ts";
import type { Logger } from "../foundation/logger.ts";
import type { HubListener, HubSignal, HubStorage, HubSubscription } from "../hub/index.ts";
import { HubFeed } from "./hub-feed.ts";
import type { Transport } from "./transport.ts";

/** What the feeds of a process work with. */
export interface HubFeedsOptions {
  readonly hub: HubStorage;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resolves once the storage can be used and signals arrive. */
  ready(): Promise<void>;
}

/** Lost signals are rarer here than whole connections, whose loss is noticed: so the database is looked at less often. */
const POLLS_SKIPPED = 5;

/** The sources that somebody in this process follows. A source nobody follows costs nothing. */
export class HubFeeds {
  readonly #options: HubFeedsOptions;
  readonly #feeds = new Map<string, HubFeed>();
  #cancelPoll: (() => void) | null = null;

  constructor(options: HubFeedsOptions) {
    this.#options = options;
  }

  /** Follows a source of a tenant from now on. */
  subscribe(tenant: string, source: string, listener: HubListener): HubSubscription {
    const key = feedKey(tenant, source);
    const feed = this.#feeds.get(key) ?? this.#open(key, tenant, source);
    const { logger } = this.#options;
    // The same listener may follow twice, and end one of the two.
    const follower: HubListener = {
      onEvent: (event) => guarded(logger, () => listener.onEvent(event)),
      onSettled: (record) => guarded(logger, () => listener.onSettled(record)),
    };
    feed.followers.add(follower);
    const ready = this.#options.ready();
    // Whoever does not wait for it has the database's failure in the log all the same.
    ready.catch((error: unknown) => logger.warn({ error }, "Belfry could not begin to follow a source of the hub."));
    return {
      ready,
      close: () => {
        feed.followers.delete(follower);
        if (feed.followers.size === 0 && this.#feeds.get(key) === feed) {
          feed.close();
          this.#feeds.delete(key);
        }
        if (this.#feeds.size === 0) {
          this.#stopPolling();
        }
      },
    };
  }

  onSignal(signal: HubSignal): void {
    this.#feeds.get(feedKey(signal.tenant, signal.source))?.signal(signal);
  }

  onGap(): void {
    for (const feed of this.#feeds.values()) {
      feed.gap();
    }
  }

  /** Ends every subscription. */
  stop(): void {
    for (const feed of this.#feeds.values()) {
      feed.close();
    }
    this.#feeds.clear();
    this.#stopPolling();
  }

  #stopPolling(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = null;
  }

  #open(key: string, tenant: string, source: string): HubFeed {
    const { hub, clock, logger, transport } = this.#options;
    const feed = new HubFeed({ tenant, source, hub, clock, logger, isLossy: transport.pollIntervalMs > 0 });
    this.#feeds.set(key, feed);
    this.#poll();
    return feed;
  }

  #poll(): void {
    const { transport, clock } = this.#options;
    if (this.#cancelPoll === null && transport.pollIntervalMs > 0) {
      this.#cancelPoll = clock.after(transport.pollIntervalMs * POLLS_SKIPPED, () => {
        this.#cancelPoll = null;
        this.onGap();
        this.#poll();
      });
    }
  }
}

function feedKey(tenant: string, source: string): string {
  // A NUL cannot be part of either.
  return `${tenant}\u0000${source}`;
}
