import { memoryTransport, type NotificationServiceOptions } from "@belfry/core";
import type { Signal, Transport, TransportListener } from "@belfry/core/storage";
import type { ServiceDatabase } from "../service-database.ts";

/**
 * Options of services that are to hear of each other: of a storage that has no transport between processes, each gets one that passes
 * everything on to all of them.
 */
export function sharedTransports(database: ServiceDatabase): () => Pick<NotificationServiceOptions, "transport"> {
  if (database.storage().transport !== undefined) {
    return () => ({});
  }
  const all = new Set<Transport>();
  return () => {
    const own = memoryTransport();
    const transport: Transport = {
      pollIntervalMs: 1_000,
      start(listener: TransportListener) {
        all.add(own);
        return own.start(listener);
      },
      publish(signals: readonly Signal[]) {
        for (const one of all) {
          one.publish(one === own ? signals : signals.map(bare));
        }
      },
      stop() {
        all.delete(own);
        return own.stop();
      },
    };
    return { transport };
  };
}

/** A signal as another process gets it. */
function bare(signal: Signal): Signal {
  if (!("userId" in signal)) {
    return signal;
  }
  const { notification: _, item: __, ...rest } = signal;
  return rest;
}
