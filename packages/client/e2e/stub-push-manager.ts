import type { BrowserSubscription } from "@belfry/testkit/push";

/**
 * Runs in a page before it, whose user allows notifications: stands in for the part of the browser that asks a push service, which is far away. Subscriptions are those that are
 * given, one after another, and outlive a reload; after the last one the push service is not available.
 * Browsers without windows show no notifications, and deny them whatever the user allows: there, the user's word counts.
 */
export function stubPushManager(given: readonly BrowserSubscription[]): void {
  const CURRENT = "subscription";
  const USED = "used";
  const subscriptionOf = ({ json, key }: { readonly json: BrowserSubscription; readonly key: string }) => ({
    endpoint: json.endpoint,
    options: {
      userVisibleOnly: true,
      applicationServerKey: Uint8Array.from(atob(key.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0)).buffer,
    },
    toJSON: () => ({ ...json, expirationTime: null }),
    async unsubscribe() {
      localStorage.removeItem(CURRENT);
      return true;
    },
  });
  const current = () => {
    const kept = localStorage.getItem(CURRENT);
    return kept === null ? null : subscriptionOf(JSON.parse(kept));
  };
  if (Notification.permission === "denied") {
    Object.defineProperty(Notification, "permission", { value: "granted" });
    Notification.requestPermission = async () => "granted";
  }
  Object.assign(PushManager.prototype, {
    getSubscription: async () => current(),
    async subscribe({ applicationServerKey: key }: { readonly applicationServerKey: string }) {
      const used = Number(localStorage.getItem(USED) ?? 0);
      if (given[used] === undefined) {
        throw new DOMException("Registration failed - push service not available", "AbortError");
      }
      localStorage.setItem(USED, String(used + 1));
      localStorage.setItem(CURRENT, JSON.stringify({ json: given[used], key }));
      return current();
    },
  });
}
