import type { ConnectionSettings } from "./redis-source.ts";

const MIN_CONNECT_MS = 3_000;

/** How connections are used, beside what the source says of them. */
export function settingsOf(heartbeatMs: number): ConnectionSettings {
  return {
    // What cannot be sent now is lost, and told of as a gap.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    autoResendUnfulfilledCommands: false,
    // The subscriber names its channels itself.
    autoResubscribe: false,
    connectTimeout: Math.max(heartbeatMs, MIN_CONNECT_MS),
    socketTimeout: heartbeatMs,
  };
}
