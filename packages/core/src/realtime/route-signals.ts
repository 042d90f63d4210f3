import { feedName } from "./feeds.ts";
import type { HubFeeds } from "./hub-feeds.ts";
import type { InboxFeeds } from "./inbox-feeds.ts";
import type { Presence } from "./presence.ts";
import { isHubSignal, type TransportListener } from "./transport.ts";

/** The feeds that this process's subscribers follow. */
export interface Feeds {
  readonly inbox: InboxFeeds;
  readonly hub: HubFeeds;
}

/** Passes what arrives over the transport on to those it concerns. */
export function routeSignals({ inbox, hub }: Feeds, presence: Presence): TransportListener {
  return {
    onSignals(signals) {
      for (const signal of signals) {
        if (isHubSignal(signal)) {
          hub.signal(feedName(signal.tenant, signal.source), signal);
        } else if ("topic" in signal && signal.topic === "presence") {
          presence.asked(signal.instance);
        } else if ("topic" in signal) {
          inbox.look();
        } else {
          inbox.signal(feedName(signal.tenant, signal.userId), signal);
        }
      }
    },
    onGap() {
      inbox.gap();
      hub.gap();
    },
  };
}
