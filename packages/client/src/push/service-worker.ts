import { openClicked } from "./open-clicked.ts";
import { renewSubscription } from "./renew-subscription.ts";
import { type ShowPushesOptions, showPush } from "./show-push.ts";
import type { PushWorkerScope } from "./worker-scope.ts";

export type { PushLook } from "./kept-device.ts";
export type { ReceivedPush } from "./received-push.ts";
export type { ShownPush, ShowPushesOptions } from "./show-push.ts";
export type {
  ClickEventLike,
  PushEventLike,
  PushWindow,
  PushWorkerScope,
  ShownOptions,
  SubscriptionChangeEventLike,
  WaitingEvent,
} from "./worker-scope.ts";

/**
 * Shows pushes in a service worker, sets the badge of an installed app, opens what the user clicks on, and registers a subscription that the
 * browser has renewed. Call it while the worker's script runs, not later: browsers wake workers for what they listened to by then.
 *
 * @example
 * ```ts
 * declare const self: ServiceWorkerGlobalScope;
 * showPushes(self, { show: ({ title, message }) => ({ title, options: { body: message, icon: "/icon.png" } }) });
 * ```
 */
export function showPushes(scope: PushWorkerScope, options: ShowPushesOptions = {}): void {
  scope.addEventListener("push", (event) => {
    event.waitUntil(showPush(scope, event.data, options));
  });
  scope.addEventListener("notificationclick", (event) => {
    openClicked(scope, event);
  });
  scope.addEventListener("pushsubscriptionchange", (event) => {
    event.waitUntil(renewSubscription(scope, event));
  });
}
