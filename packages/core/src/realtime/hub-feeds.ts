import { type FeedSubscription, guarded } from "../foundation/context.ts";
import type { HubListener, HubSignal, HubStorage } from "../hub/index.ts";
import { Feeds, type FeedsContext, feedName } from "./feeds.ts";
import { HubFeed } from "./hub-feed.ts";
import type { Transport } from "./transport.ts";

/** The parts that the hub's feeds use. */
export interface HubFeedsOptions extends FeedsContext {
  readonly hub: HubStorage;
  readonly transport: Transport;
}

/** The polls to skip. Lost signals are rare here, and a lost connection is noticed, so the database is read less often. */
const POLLS_SKIPPED = 5;

interface Source {
  readonly tenant: string;
  readonly source: string;
}

/** The feeds of the hub's sources that are followed in this process. */
export class HubFeeds extends Feeds<Source, HubSignal, HubListener, HubFeed> {
  constructor(options: HubFeedsOptions) {
    const { hub, clock, logger, transport } = options;
    super(options, {
      name: "a source of the hub",
      pollIntervalMs: transport.pollIntervalMs * POLLS_SKIPPED,
      open: (source) => new HubFeed({ ...source, hub, clock, logger, isLossy: transport.pollIntervalMs > 0 }),
      poll: () => this.gap(),
    });
  }

  /** Follows a source of a tenant from now on. */
  subscribe(tenant: string, source: string, listener: HubListener): FeedSubscription {
    const { logger } = this.context;
    // The same listener may follow twice, and end one of the two.
    const follower: HubListener = {
      onEvent: (event) => guarded(logger, () => listener.onEvent(event)),
      onSettled: (record) => guarded(logger, () => listener.onSettled(record)),
    };
    return this.follow(feedName(tenant, source), { tenant, source }, () => ({ follower }));
  }
}
