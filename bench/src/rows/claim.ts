import { type Channel, NotificationService } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";

const PER_SEND = 1_000;

/** A channel that does nothing, so that the row measures the engine. */
export function noop(): Channel {
  return {
    name: "noop",
    retryDelaysMs: [],
    timeoutMs: 60_000,
    invalidRecipient: () => null,
    deliver: async () => ({ status: "delivered", provider: "noop" }),
  };
}

/** A service that delivers over the channel that does nothing, only on demand. */
export function deliveringService(storage: Storage): NotificationService {
  return new NotificationService({ storage, channels: [noop()], delivery: { concurrency: 100 } });
}

/** Creates `count` due deliveries; a worker's {@link NotificationService.runDue} makes their attempts. */
export async function enqueue(storage: Storage, count: number): Promise<void> {
  const service = new NotificationService({ storage, channels: [noop()], delivery: { worker: false } });
  for (let left = count; left > 0; left -= PER_SEND) {
    const to = Array.from({ length: Math.min(PER_SEND, left) }, (_, index) => `r${left}-${index}`);
    await service.send({ channel: "noop", to, content: "x" });
  }
}
