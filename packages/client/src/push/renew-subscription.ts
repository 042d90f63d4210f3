import { askServer } from "./ask-server.ts";
import { PushMemory } from "./kept-device.ts";
import { PUSH_CHANNEL, tellTabs } from "./push-channel.ts";
import { objectOf, textOf } from "./received-push.ts";
import type { PushWorkerScope, SubscriptionChangeEventLike } from "./worker-scope.ts";

/**
 * Registers the subscription that takes the place of an earlier one, under the id of the device. Where only pages may ask the server, open ones
 * are told; the next one that starts finds out by itself.
 */
export async function renewSubscription(scope: PushWorkerScope, event: SubscriptionChangeEventLike): Promise<void> {
  await navigator.locks.request(PUSH_CHANNEL, async () => {
    const memory = new PushMemory(scope.registration.scope);
    const kept = await memory.device();
    const subscription = kept === null ? null : await subscribed(scope, kept.publicKey, event.newSubscription);
    if (kept === null || subscription === null) {
      return;
    }
    const body = { platform: "web", subscription: subscription.toJSON(), name: kept.options.name, replaces: kept.id };
    const id = textOf(objectOf(await askServer(kept, "/devices", body)).id);
    if (id !== null) {
      await memory.keep({ ...kept, id, endpoint: subscription.endpoint, registeredAt: Date.now() });
    }
  });
  tellTabs();
}

/** The new subscription; null if there is none, as after the user said no. */
async function subscribed(
  { registration }: PushWorkerScope,
  applicationServerKey: string,
  given: PushSubscription | null | undefined,
): Promise<PushSubscription | null> {
  try {
    return given ?? (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }));
  } catch {
    // A page finds out why, and says so.
    return null;
  }
}
