import type { Channel, DeliveryOutcome, DeliveryTask } from "../../channel.ts";
import type { Clock } from "../../clock.ts";
import type { ClaimedDelivery } from "../../delivery-storage.ts";

const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1_000;
/** Retries are spread by this much either way, so that what failed together does not come back together. */
const JITTER = 0.2;

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
  const late = new AbortController();
  const cancel = clock.after(channel.timeoutMs, () => late.abort(new Error(`The attempt took longer than ${channel.timeoutMs} ms.`)));
  const ends = AbortSignal.any([signal, late.signal]);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(ends.reason);
  ends.addEventListener("abort", onAbort);
  try {
    ends.throwIfAborted();
    // A channel that does not heed the signal must not hold the delivery for ever.
    return await Promise.race([channel.deliver(task, ends), aborted]);
  } catch (error) {
    return { status: "failed", transient: true, provider: channel.name, error: error instanceof Error ? error.message : String(error) };
  } finally {
    cancel();
    ends.removeEventListener("abort", onAbort);
  }
}

/**
 * In how many milliseconds to try again after the `attempt`-th attempt failed, null for not at all: by the channel's
 * schedule ±20 %, or as long as the provider asked for, at least the first delay and at most 24 hours.
 */
export function retryDelayMs(
  { retryDelaysMs }: Pick<Channel, "retryDelaysMs">,
  {
    attempt: made,
    retryAfterMs,
    random,
  }: { readonly attempt: number; readonly retryAfterMs?: number | undefined; readonly random: number },
): number | null {
  const delayMs = retryDelaysMs[made - 1];
  if (delayMs === undefined) {
    return null;
  }
  if (retryAfterMs !== undefined) {
    return Math.min(Math.max(retryAfterMs, retryDelaysMs[0] ?? 0), MAX_RETRY_AFTER_MS);
  }
  return Math.round(delayMs * (1 + JITTER * (2 * random - 1)));
}
