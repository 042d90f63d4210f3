export { HubFeeds } from "./hub-feeds.ts";
export { InboxFeeds } from "./inbox-feeds.ts";
export { memoryTransport } from "./memory-transport.ts";
export { Presence } from "./presence.ts";
export type { PresenceStorage } from "./presence-storage.ts";
export { type Feeds, routeSignals } from "./route-signals.ts";
export { isHubSignal, type Signal, type Transport, type TransportListener } from "./transport.ts";
