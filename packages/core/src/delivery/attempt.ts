import { textOf } from "../foundation/errors.ts";
import { OutOfTime, type TimeLimit, withinTime } from "../work/timing.ts";
import type { Addresses, Reached } from "./addresses.ts";
import type { Channel, DeliveryFailure, DeliveryOutcome, DeliveryTask } from "./channel.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";

function taskOf({ delivery, notification, roomId, meta }: ClaimedDelivery, { address, locale }: Reached): DeliveryTask {
  return {
    id: delivery.id,
    notificationId: notification.id,
    tenant: delivery.tenant,
    recipient: delivery.recipient,
    address,
    locale,
    roomId,
    type: notification.type,
    title: notification.title,
    message: notification.message,
    data: meta,
    url: notification.url,
    actions: notification.actions,
    isFallback: delivery.isFallback,
    attempt: delivery.attempt,
    createdAt: notification.createdAt,
  };
}

/** The parts that an attempt uses. */
export interface AttemptContext extends Omit<TimeLimit, "timeoutMs"> {
  readonly addresses: Addresses;
}

/** The result of an attempt, and whether its channel was called. */
export interface AttemptResult {
  readonly outcome: DeliveryOutcome;
  readonly wasHandedIn: boolean;
}

/**
 * Finds the recipient's address and has `channel` deliver once, both within the channel's time; whatever goes wrong is an
 * outcome.
 */
export async function attempt(channel: Channel, claimed: ClaimedDelivery, context: AttemptContext): Promise<AttemptResult> {
  const { name, timeoutMs } = channel;
  let reached: Reached | DeliveryFailure | null = null;
  let wasHandedIn = false;
  const work = async (ends: AbortSignal): Promise<DeliveryOutcome> => {
    reached = await context.addresses.of(claimed.delivery, channel);
    // A directory that answers too late must not have anything delivered: another attempt may be under way.
    ends.throwIfAborted();
    if ("status" in reached) {
      return reached;
    }
    wasHandedIn = true;
    const outcome = await channel.deliver(taskOf(claimed, reached), ends);
    return isOutcome(outcome) ? outcome : noOutcome(channel, outcome);
  };
  try {
    const outcome = await withinTime(work, { ...context, timeoutMs });
    return { outcome, wasHandedIn };
  } catch (error) {
    const isLookUp = error instanceof OutOfTime && reached === null;
    const text = isLookUp ? `The host's directory gave no answer within ${timeoutMs} ms.` : textOf(error);
    return { outcome: { status: "failed", transient: true, provider: name, error: text }, wasHandedIn };
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
