import type { Channel } from "@belfry/core";

/** A channel that does nothing, so that a row measures the engine. */
export function noopChannel(): Channel {
  return {
    name: "noop",
    retryDelaysMs: [],
    timeoutMs: 30_000,
    invalidRecipient: () => null,
    deliver: async () => ({ status: "delivered", provider: "noop" }),
  };
}

/** How many jobs a worker takes at once. */
export const BATCH = 100;
