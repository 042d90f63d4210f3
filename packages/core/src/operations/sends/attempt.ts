import type { Channel, DeliveryOutcome, DeliveryTask } from "../../channel.ts";
import type { Clock } from "../../clock.ts";
import type { ClaimedDelivery } from "../../delivery-storage.ts";
import { withinTime } from "../within-time.ts";

/** What the channel is asked to deliver. */
export function taskOf({ delivery, notification, details }: ClaimedDelivery, address: string): DeliveryTask {
  return {
    id: delivery.id,
    notificationId: notification.id,
    tenant: delivery.tenant,
    recipient: delivery.recipient,
    address,
    roomId: details.roomId,
    subject: notification.title,
    content: notification.message,
    meta: details.meta,
    isFallback: delivery.isFallback,
    attempt: delivery.attempt,
    createdAt: notification.createdAt,
  };
}

/** Has `channel` deliver once, within its time; whatever goes wrong is an outcome. */
export async function attempt(
  channel: Channel,
  task: DeliveryTask,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<DeliveryOutcome> {
  try {
    return await withinTime((ends) => channel.deliver(task, ends), { timeoutMs: channel.timeoutMs, clock, signal });
  } catch (error) {
    return { status: "failed", transient: true, provider: channel.name, error: error instanceof Error ? error.message : String(error) };
  }
}
