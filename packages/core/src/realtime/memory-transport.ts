import { EventEmitter } from "eventemitter3";
import type { Signal, Transport, TransportListener } from "./transport.ts";

/**
 * Passes signals on within one process, at once and in order. For an installation of a single process; it is the
 * default with storages that have no transport of their own.
 */
export function memoryTransport(): Transport {
  const emitter = new EventEmitter<{ signals: [signals: readonly Signal[]] }>();
  return {
    pollIntervalMs: 0,
    async start(listener: TransportListener) {
      if (emitter.listenerCount("signals") === 0) {
        emitter.on("signals", (signals) => listener.onSignals(signals));
      }
    },
    publish(signals) {
      emitter.emit("signals", signals);
    },
    async stop() {
      emitter.removeAllListeners();
    },
  };
}
