export { HubFeeds } from "./hub-feeds.ts";
export { InboxFeeds } from "./inbox-feeds.ts";
export { Presence, type PresenceStorage } from "./presence.ts";
export { type Feeds, routeSignals } from "./route-signals.ts";
export { isHubSignal, memoryTransport, type Signal, type Transport, type TransportListener } from "./transport.ts";
