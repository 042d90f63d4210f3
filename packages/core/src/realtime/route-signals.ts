import { feedName } from "./feed-name.ts";
import type { HubFeeds } from "./hub-feeds.ts";
import type { InboxFeeds } from "./inbox-feeds.ts";
import type { Presence } from "./presence.ts";
import type { Signal, TransportListener, Work } from "./transport.ts";

/** The feeds that this process's subscribers follow. */
export interface Feeds {
  readonly inbox: InboxFeeds;
  readonly hub: HubFeeds;
}

/** Places broadcasts for those who are connected here. */
export interface BroadcastListener {
  /** @param tenant whose; null for all */
  placeFor(tenant: string | null): void;
}

/** Those who hear of what concerns every process. */
export interface ProcessListeners {
  readonly presence: Presence;
  readonly broadcasts: BroadcastListener;
  /** Has this process's worker look for work, if it has one of that kind. */
  wake(work: Work): void;
  /** Somebody paused deliveries, or resumed them. */
  pausesChanged(): void;
  /** Endpoints began to rest in another process, or rest no longer. */
  restsChanged(): void;
}

/** Passes what arrives over the transport on to those it concerns. */
export function routeSignals(
  { inbox, hub }: Feeds,
  { presence, broadcasts, wake, pausesChanged, restsChanged }: ProcessListeners,
): TransportListener {
  const pass = (signal: Signal): void => {
    if (!("topic" in signal)) {
      inbox.signal(feedName(signal.tenant, signal.userId), signal);
      return;
    }
    switch (signal.topic) {
      case "hub":
        hub.signal(feedName(signal.tenant, signal.source), signal);
        break;
      case "presence":
        presence.asked(signal.instance);
        break;
      case "broadcast":
        broadcasts.placeFor(signal.tenant);
        break;
      case "inboxes":
        inbox.look();
        break;
      case "work":
        wake(signal.work);
        break;
      case "pauses":
        pausesChanged();
        break;
      case "rests":
        restsChanged();
        break;
    }
  };
  return {
    onSignals(signals) {
      for (const signal of signals) {
        pass(signal);
      }
    },
    onGap() {
      inbox.gap();
      hub.gap();
      broadcasts.placeFor(null);
      restsChanged();
    },
  };
}
