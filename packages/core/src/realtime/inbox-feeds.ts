import type { Clock } from "../foundation/clock.ts";
import { guarded } from "../foundation/guarded.ts";
import type { Logger } from "../foundation/logger.ts";
import type { Owner } from "../foundation/owner.ts";
import type { InboxListener, InboxPosition, InboxSignal, InboxStorage, InboxSubscription } from "../inbox/index.ts";
import { InboxFeed } from "./inbox-feed.ts";
import type { Presence } from "./presence.ts";
import { Subscription } from "./subscription.ts";
import type { Transport } from "./transport.ts";

/** What the feeds of a process work with. */
export interface InboxFeedsOptions {
  readonly inbox: InboxStorage;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears of users whose first follower came here, or whose last one left. */
  readonly presence: Pick<Presence, "joined" | "left">;
  /** Resolves once the storage can be used and signals arrive. */
  ready(): Promise<void>;
}

const ERROR_RETRY_MS = 1_000;

/** The inboxes that somebody in this process follows. An inbox nobody follows costs nothing. */
export class InboxFeeds {
  readonly #options: InboxFeedsOptions;
  readonly #feeds = new Map<string, { feed: InboxFeed; opened: Promise<void> }>();
  #cancelPoll: (() => void) | null = null;

  constructor(options: InboxFeedsOptions) {
    this.#options = options;
  }

  /** Follows an inbox. With `since`, what came after that position is replayed first and the state reported. */
  subscribe(owner: Owner, listener: InboxListener, since?: InboxPosition): InboxSubscription {
    const key = feedKey(owner);
    const { feed, opened } = this.#feeds.get(key) ?? this.#openFeed(key, owner);
    const subscription = new Subscription(feed, this.#options.inbox, this.#guarded(listener));
    const close = () => this.#close(key, feed, subscription);
    const ready = opened
      .then(() => subscription.start(since))
      .catch((error: unknown) => {
        // Whoever has closed it is not waiting any longer.
        if (subscription.closed) {
          return;
        }
        close();
        throw error;
      });
    return { ready, close };
  }

  onSignal(signal: InboxSignal): void {
    if (this.#feeds.size > 0) {
      this.#feeds.get(feedKey(signal))?.feed.signal(signal);
    }
  }

  onGap(): void {
    for (const { feed } of this.#feeds.values()) {
      feed.gap();
    }
  }

  /** Stops looking at the database; subscriptions are ended by those who hold them. */
  stop(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = null;
  }

  #openFeed(key: string, owner: Owner): { feed: InboxFeed; opened: Promise<void> } {
    const feed = new InboxFeed({ tenant: owner.tenant, userId: owner.userId }, this.#options.inbox, (error) => {
      this.#options.logger.error({ error }, `Belfry could not read an inbox for its subscribers; it tries again in ${ERROR_RETRY_MS} ms.`);
      this.#options.clock.after(ERROR_RETRY_MS, () => feed.gap());
    });
    const entry = { feed, opened: this.#options.ready().then(() => feed.open()) };
    this.#feeds.set(key, entry);
    this.#options.presence.joined(feed.owner);
    this.#poll();
    return entry;
  }

  #guarded(listener: InboxListener): InboxListener {
    const { logger } = this.#options;
    const { writable } = listener;
    return {
      onEvent: (event) => guarded(logger, () => listener.onEvent(event)),
      onState: (recovered, position) => guarded(logger, () => listener.onState(recovered, position)),
      ...(writable && { writable: () => writable.call(listener) }),
    };
  }

  #close(key: string, feed: InboxFeed, subscription: Subscription): void {
    subscription.close();
    if (feed.followers.size === 0 && this.#feeds.get(key)?.feed === feed) {
      this.#feeds.delete(key);
      this.#options.presence.left(feed.owner);
    }
    if (this.#feeds.size === 0) {
      this.stop();
    }
  }

  #poll(): void {
    const { transport, clock } = this.#options;
    if (this.#cancelPoll === null && transport.pollIntervalMs > 0) {
      this.#cancelPoll = clock.after(transport.pollIntervalMs, () => {
        void this.#lookForLost().finally(() => {
          if (this.#cancelPoll) {
            this.#cancelPoll = null;
            this.#poll();
          }
        });
      });
    }
  }

  /** A signal that was lost shows as an inbox that has gone further than its feed. */
  async #lookForLost(): Promise<void> {
    const feeds = [...this.#feeds.values()].map(({ feed }) => feed);
    try {
      const positions = await this.#options.inbox.positions(feeds.map((feed) => feed.owner));
      for (const [index, feed] of feeds.entries()) {
        const position = positions[index];
        if (position && feed.isBehind(position)) {
          feed.behind();
        }
      }
    } catch (error) {
      this.#options.logger.warn({ error }, "Belfry could not look for lost inbox signals; it tries again at the next poll.");
    }
  }
}

function feedKey({ tenant, userId }: Owner): string {
  // A NUL cannot be part of either.
  return `${tenant}\u0000${userId}`;
}
