export { HubFeeds } from "./hub-feeds.ts";
export { InboxFeeds, type InboxFeedsOptions } from "./inbox-feeds.ts";
export { type HoldingInstance, Presence, type PresenceChange, type PresenceStorage } from "./presence.ts";
export { type Feeds, routeSignals } from "./route-signals.ts";
export { isFrom, packSignals, partsOfCreated, type SignalPayload, unpackSignals } from "./signal-payload.ts";
export { SignalSender, type SignalSenderOptions } from "./signal-sender.ts";
export {
  type BroadcastSignal,
  feedOf,
  type InboxesSignal,
  isHubSignal,
  memoryTransport,
  type PresenceSignal,
  type Signal,
  type Transport,
  type TransportListener,
} from "./transport.ts";
