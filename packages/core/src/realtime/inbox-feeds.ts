import type { FeedSubscription, Owner, WorkContext } from "../foundation/context.ts";
import type { Tracing } from "../foundation/tracing.ts";
import type { InboxListener, InboxPosition, InboxSignal, InboxStorage } from "../inbox/index.ts";
import { Slots } from "../work/timing.ts";
import { DueFeeds, type DueFeedsOptions } from "./due-feeds.ts";
import { feedName } from "./feed-name.ts";
import { Feeds } from "./feeds.ts";
import { type FeedFollower, InboxFeed } from "./inbox-feed.ts";
import type { Presence } from "./presence.ts";
import { Subscription, type SubscriptionParts } from "./subscription.ts";
import type { Transport } from "./transport.ts";

/** The most pages that all replays hold at a time. It bounds their memory, however many clients come back at once. */
const PAGES_AT_ONCE = 4;

/** The parts that the inboxes' feeds use. */
export interface InboxFeedsOptions extends WorkContext, Pick<DueFeedsOptions, "isDue" | "applyDue"> {
  readonly inbox: InboxStorage;
  readonly transport: Transport;
  /** Follows new items to their listeners, for traces; null where nothing is traced. */
  readonly tracing: Tracing | null;
  /** Hears of users whose first follower came here, or whose last one left. */
  readonly presence: Pick<Presence, "joined" | "left">;
  /** Has broadcasts placed in inboxes that lack some, soon. */
  placeBroadcasts(owners: readonly Owner[]): void;
}

/** The feeds of the inboxes that are followed in this process. */
export class InboxFeeds extends Feeds<Owner, InboxSignal, FeedFollower, InboxFeed> {
  readonly #parts: SubscriptionParts;
  /** The owners of the feeds that are open, by the feeds' names. */
  readonly #followed: ReadonlyMap<string, Owner>;
  readonly #due: DueFeeds;
  readonly #placeBroadcasts: InboxFeedsOptions["placeBroadcasts"];

  constructor(options: InboxFeedsOptions) {
    const { inbox, transport, presence } = options;
    const followed = new Map<string, Owner>();
    const due = new DueFeeds({ ...options, follows: ({ tenant, userId }) => followed.has(feedName(tenant, userId)) });
    super(options, {
      name: "an inbox",
      pollIntervalMs: transport.pollIntervalMs,
      transport,
      open({ tenant, userId }) {
        const owner = { tenant, userId };
        presence.joined(owner);
        followed.set(feedName(tenant, userId), owner);
        return new InboxFeed(owner, { ...options, due });
      },
      opened: (feed) => feed.open(),
      left({ owner }) {
        presence.left(owner);
        followed.delete(feedName(owner.tenant, owner.userId));
        due.forget(owner);
      },
      poll: (feeds) => this.#lookForLost(feeds),
    });
    this.#followed = followed;
    this.#due = due;
    this.#placeBroadcasts = options.placeBroadcasts;
    this.#parts = { inbox, pages: new Slots(PAGES_AT_ONCE), logger: options.logger, tracing: options.tracing };
  }

  /** Whether anybody follows the inbox here. */
  follows({ tenant, userId }: Owner): boolean {
    return this.#followed.has(feedName(tenant, userId));
  }

  /** Whether anybody follows any inbox here. */
  followsAny(): boolean {
    return this.#followed.size > 0;
  }

  /** The owners of the inboxes that are followed here. @param tenant whose; null for all */
  ownersOf(tenant: string | null): readonly Owner[] {
    const all = [...this.#followed.values()];
    return tenant === null ? all : all.filter((owner) => owner.tenant === tenant);
  }

  /** Follows an inbox. With `since`, it first replays the items after that position and reports the state. */
  subscribe(owner: Owner, listener: InboxListener, since?: InboxPosition): FeedSubscription {
    return this.follow(feedName(owner.tenant, owner.userId), owner, (feed) => {
      const follower = new Subscription(feed, this.#parts, listener);
      return { follower, begin: () => follower.start(since) };
    });
  }

  override start(): void {
    this.#due.loop.start();
    super.start();
  }

  override wake(): void {
    this.#due.loop.wake();
    super.wake();
  }

  override async stop(): Promise<void> {
    await Promise.all([this.#due.loop.stop(), super.stop()]);
  }

  /** A signal that was lost shows as an inbox that has gone further than its feed, or that lacks broadcasts. */
  async #lookForLost(feeds: readonly InboxFeed[]): Promise<void> {
    const positions = await this.#parts.inbox.positions(feeds.map((feed) => feed.owner));
    for (const [index, feed] of feeds.entries()) {
      const position = positions[index];
      if (position && feed.isBehind(position)) {
        feed.behind();
      }
    }
    this.#placeBroadcasts(feeds.filter((_, index) => positions[index]?.lacksBroadcasts).map(({ owner }) => owner));
  }
}
