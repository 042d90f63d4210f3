import type { FeedSubscription } from "../foundation/feed-subscription.ts";
import type { HubEvent, SourceRecord } from "./hub-model.ts";

/** The functions of a subscriber of a source. Each event is reported once, and then once for each of its handlers. */
export interface HubListener {
  onEvent(event: HubEvent): void;
  /** A handler is done with an event: COMPLETED or FAILED. */
  onSettled(record: SourceRecord): void;
}

/** Lets listeners follow sources. {@link HubEvents} uses it to subscribe. */
export interface FollowSources {
  /** Follows a source of a tenant from now on. */
  subscribe(tenant: string, source: string, listener: HubListener): FeedSubscription;
}
