/** The name of all that pages and the service worker share: the browser's memory, a lock, and a channel that tells of changes. */
export const PUSH_CHANNEL = "belfry-push";

/** Tells open tabs that there may be something for them to do. */
export function tellTabs(): void {
  const channel = new BroadcastChannel(PUSH_CHANNEL);
  channel.postMessage("changed");
  channel.close();
}
