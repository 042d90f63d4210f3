import {
  type ClaimedDelivery,
  type DeliveryStorage,
  type EndedAttempt,
  endAttempts,
  endLostLeases,
  type LoadedSend,
} from "@belfry/core/storage";

/** Everything that the model does with leases of deliveries, in the words of the storage. */
export function leasesOf(storage: DeliveryStorage): DeliveryStorage["leases"] {
  return storage.leases;
}

/** What a claim handed out, without the storage's own keys, which a model does not know. */
export function withoutKeys(claimed: readonly ClaimedDelivery[]): readonly ClaimedDelivery[] {
  return claimed.map(({ keys: _, ...one }) => one);
}

/** A worker's report of its attempts. */
export interface Ended {
  readonly owner: string;
  readonly at: Date;
  readonly attempts: readonly EndedAttempt[];
  /** What the claims of some of them handed out, where it was the only delivery of its notification: it is completed without being loaded. */
  readonly only: readonly ClaimedDelivery[];
}

/** Ends attempts as a worker does. Answers the deliveries whose lease it still held. */
export async function endAttemptsOf(storage: DeliveryStorage, { owner, at, attempts, only }: Ended): Promise<readonly string[]> {
  const byId = new Map(attempts.map((attempt) => [attempt.deliveryId, attempt]));
  const claimed = only.map(({ delivery, state }): LoadedSend => ({ state, chains: [[{ ...delivery, isRead: false }]] }));
  const { ids: completed } = await storage.complete(owner, { ...endAttempts(claimed, at, { owner, byId }).changes, claimed: only }, at);
  let accepted: readonly string[] = [];
  await storage.settle({ kind: "deliveries", ids: [...byId.keys()].filter((id) => !completed.has(id)) }, at, (loaded, now) => {
    const { changes } = endAttempts(loaded, now, { owner, byId });
    accepted = changes.attempts.map(({ deliveryId }) => deliveryId);
    return changes;
  });
  return [...completed, ...accepted];
}

/** Which lost leases to end. */
export interface EndingLost {
  readonly at: Date;
  readonly limit: number;
  /** A lease further ahead than this was given before the clock went back. */
  readonly leaseMs: number;
  readonly maxAttempts: number;
  readonly notOwnedBy?: string;
}

/** Takes deliveries back whose worker was lost, as a worker does, and answers which. */
export async function endLostOf(storage: DeliveryStorage, request: EndingLost): Promise<readonly string[]> {
  const { at, limit, leaseMs, maxAttempts, notOwnedBy } = request;
  const others = notOwnedBy === undefined ? {} : { notOwnedBy };
  const leases = await storage.leases.lost({ at, limit, furthestMs: leaseMs, ...others });
  const lost = new Map(leases.map((lease) => [lease.id, lease]));
  let taken: readonly string[] = [];
  await storage.settle({ kind: "deliveries", ids: [...lost.keys()] }, at, (loaded, now) => {
    const { changes } = endLostLeases(loaded, now, { lost, leaseMs, attemptsOf: () => maxAttempts });
    taken = changes.attempts.map(({ deliveryId }) => deliveryId);
    return changes;
  });
  return taken;
}
