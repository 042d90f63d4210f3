import type { DeliveryOutcome, DeliveryTask, PushDevice } from "@belfry/core";

/** One push. */
export interface Push {
  readonly task: DeliveryTask;
  readonly device: PushDevice;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Reaches the devices of one platform. */
export interface Provider {
  push(push: Push): Promise<DeliveryOutcome>;
}

/** An answer that says that a device is gone. */
export const GONE = { accepted: false, transient: false, isEndpointGone: true } as const;

/** An outcome with a note on what was left out; null for nothing. */
export function noted(outcome: DeliveryOutcome, note: string | null): DeliveryOutcome {
  return note === null || outcome.status === "failed" ? outcome : { ...outcome, note };
}
