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

/** The turns of a service whose only tenant is to get a batch of them: a tenant gets four fifths. */
export const TURNS = (BATCH * 5) / 4;
