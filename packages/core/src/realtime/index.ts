export { HubFeeds } from "./hub-feeds.ts";
export { InboxFeeds, type InboxFeedsOptions } from "./inbox-feeds.ts";
export { type HoldingInstance, Presence, type PresenceChange, type PresenceOptions, type PresenceStorage } from "./presence.ts";
export { type Feeds, type ProcessListeners, routeSignals } from "./route-signals.ts";
export { isFrom, packSignals, partsOfCreated, type SignalPayload, unpackSignals } from "./signal-payload.ts";
export { SignalSender, type SignalSenderOptions } from "./signal-sender.ts";
export {
  type BroadcastSignal,
  feedOf,
  type InboxesSignal,
  isHubSignal,
  memoryTransport,
  type PausesSignal,
  type PresenceSignal,
  type RestsSignal,
  type Signal,
  type Transport,
  type TransportListener,
  type Work,
  type WorkSignal,
} from "./transport.ts";
export { WorkerCalls } from "./worker-calls.ts";
