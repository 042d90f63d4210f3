import type { ClaimedDelivery } from "./delivery-storage.ts";
import type { StoredBundle } from "./digest-storage.ts";
import { bouncedBy, type EndedAttempt, type RuledAttempt } from "./end-attempts.ts";
import type { AskedAddress } from "./suppressed-addresses.ts";

/** A claimed delivery with its attempt, which has ended or was decided against. */
export interface EndedDelivery {
  readonly claimed: ClaimedDelivery;
  /** The digest that it carries, or null. */
  readonly bundle: StoredBundle | null;
  readonly attempt: EndedAttempt | RuledAttempt;
}

/** The addresses at which attempts found nobody for good. */
export function bouncedAt(ended: readonly EndedDelivery[]): readonly AskedAddress[] {
  return ended.flatMap(({ claimed, attempt }) => {
    const place = bouncedBy(attempt);
    return place === null ? [] : [{ tenant: claimed.delivery.tenant, place }];
  });
}

/** Whether what became of it changes nothing but itself and its notification: no other delivery, no digest, no address. */
export function isAlone({ claimed, bundle, attempt }: EndedDelivery): boolean {
  return isOnlyChain(claimed) && bundle === null && bouncedBy(attempt) === null;
}

/** Whether nothing else changes the counts of its notification: no other delivery, and no fan-out, which counts as a chain. */
function isOnlyChain({ isOnly, state }: ClaimedDelivery): boolean {
  const { pending, sent, delivered, failed, cancelled, skipped } = state.chains;
  return isOnly && pending + sent + delivered + failed + cancelled + skipped === 1;
}
