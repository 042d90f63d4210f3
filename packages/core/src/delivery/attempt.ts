import type { Clock } from "../foundation/clock.ts";
import { withinTime } from "../work/within-time.ts";
import type { Channel, DeliveryOutcome, DeliveryTask } from "./channel.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";

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
    const outcome = await withinTime((ends) => channel.deliver(task, ends), { timeoutMs: channel.timeoutMs, clock, signal });
    return isOutcome(outcome) ? outcome : noOutcome(channel, outcome);
  } catch (error) {
    return { status: "failed", transient: true, provider: channel.name, error: error instanceof Error ? error.message : String(error) };
  }
}

/** A channel is the host's own code: what it answers may be anything. */
function isOutcome(outcome: unknown): outcome is DeliveryOutcome {
  const { status, provider, error } = (typeof outcome === "object" && outcome !== null ? outcome : {}) as Partial<Record<string, unknown>>;
  const hasProvider = typeof provider === "string";
  return hasProvider && (status === "sent" || status === "delivered" || (status === "failed" && typeof error === "string"));
}

function noOutcome({ name }: Channel, outcome: unknown): DeliveryOutcome {
  const got =
    typeof outcome === "object" && outcome !== null ? `an object with ${Object.keys(outcome).join(", ") || "nothing"}` : String(outcome);
  const wanted = '{ status: "sent" | "delivered", provider } or { status: "failed", provider, transient, error }';
  // For good: another attempt would answer the same, after it has delivered again.
  return {
    status: "failed",
    transient: false,
    provider: name,
    error: `The channel ${name} answered ${got.slice(0, 200)}; expected ${wanted}.`,
  };
}
