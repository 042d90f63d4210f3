import { type ChainChange, followPrimary, type Settlement, settleChains } from "./chains.ts";
import { chainOutcome, type Delivery, STATUS_RANK } from "./delivery.ts";
import type { LoadedDelivery, LoadedSend, SendState } from "./delivery-storage.ts";
import { bundled, settled, stopped } from "./delivery-transitions.ts";
import type { Digest } from "./digest.ts";
import type { StoredBundle } from "./digest-storage.ts";
import { closed } from "./render-digest.ts";

/** A digest, and the delivery that carried it as it was claimed. */
export interface CarriedBundle extends StoredBundle {
  readonly carrier: Pick<Delivery, "id" | "attempt">;
}

/** What becomes of single chains, and the digests that some of them carry. */
interface Bundles {
  end(chain: readonly LoadedDelivery[], send: SendState): ChainChange | null;
  readonly bundles: readonly StoredBundle[];
}

/**
 * The entry that stands in for the delivery that carried a digest, if that was deleted during its attempt: the result of the attempt
 * is the digest's all the same, and counts for the other entries. Null if there is no need for one.
 */
export function heirOf({ carrier, deliveryIds }: CarriedBundle, loaded: readonly LoadedSend[]): LoadedDelivery | null {
  const primaries = new Map<string, LoadedDelivery>();
  for (const [primary, ...fallbacks] of loaded.flatMap(({ chains }) => chains)) {
    if (primary?.id === carrier.id || fallbacks.some(({ id }) => id === carrier.id)) {
      return null;
    }
    if (primary?.status === "pending" && primary.reason === "bundled") {
      primaries.set(primary.id, primary);
    }
  }
  const entries = deliveryIds.flatMap((id) => primaries.get(id) ?? []);
  // Another attempt is under way, which says itself how it ended.
  if (entries.some(({ leaseOwner }) => leaseOwner !== null)) {
    return null;
  }
  return entries.find(({ dueAt }) => dueAt !== null) ?? entries[0] ?? null;
}

/** What became of the chain that carried a digest. */
interface Carried {
  readonly bundle: StoredBundle;
  readonly carrier: readonly LoadedDelivery[];
  /** The best of its deliveries; null while one of them may still arrive. */
  readonly best: Delivery | null;
}

/**
 * Decides on chains, and on the digests that they carry: once such a chain has settled, the other entries of its digest settle as it
 * did, and the digest is closed. A fallback that is due carries the digest on.
 */
export function settleBundles(loaded: readonly LoadedSend[], now: Date, { end, bundles }: Bundles): Settlement {
  const found = loaded.flatMap(({ state, chains }) => chains.map((chain) => ({ chain, send: state })));
  const byPrimary = new Map(found.map((one) => [one.chain[0]?.id ?? "", one]));
  const changes = new Map<readonly LoadedDelivery[], ChainChange>();
  for (const { chain, send } of found) {
    const change = end(chain, send);
    if (change !== null) {
      changes.set(chain, change);
    }
  }
  const over: Digest[] = [];
  for (const bundle of bundles) {
    const carried = carriedBy(bundle, { byPrimary, changes });
    if (carried?.best === null) {
      handOn(carried, changes);
    } else if (carried !== null && bundle.digest.state !== "closed") {
      over.push(bundle.digest);
      keepCarrying(carried, changes);
      for (const [chain, change] of changesOf(carried, byPrimary, now)) {
        changes.set(chain, change);
      }
    }
  }
  const settlement = settleChains(loaded, now, (chain) => changes.get(chain) ?? null);
  return { ...settlement, changes: { ...settlement.changes, digests: over.map((digest) => closed(digest, now)) } };
}

/** The chains that are loaded, by their primary deliveries. */
type ByPrimary = ReadonlyMap<string, { readonly chain: readonly LoadedDelivery[]; readonly send: SendState }>;

/** What becomes of the other entries of a digest that has settled. */
function changesOf(
  { bundle, carrier, best }: Carried,
  byPrimary: ByPrimary,
  now: Date,
): readonly (readonly [readonly LoadedDelivery[], ChainChange])[] {
  return bundle.deliveryIds.flatMap((id) => {
    const entry = byPrimary.get(id);
    if (entry === undefined || best === null || entry.chain === carrier || !isWaiting(entry.chain[0])) {
      return [];
    }
    return [[entry.chain, { chain: asCarried(entry.chain, { hadFallback: carrier.length > 1, best, send: entry.send, now }) }] as const];
  });
}

/** The chain of a digest that has changed: the one that carries it. Null if none has. */
function carriedBy(
  bundle: StoredBundle,
  {
    byPrimary,
    changes,
  }: {
    readonly byPrimary: ByPrimary;
    readonly changes: ReadonlyMap<readonly LoadedDelivery[], ChainChange>;
  },
): Carried | null {
  for (const id of bundle.deliveryIds) {
    const carrier = byPrimary.get(id)?.chain;
    const after = carrier && changes.get(carrier)?.chain;
    if (carrier !== undefined && after !== undefined) {
      const isPending = chainOutcome(after.map(({ status }) => status)) === "pending";
      const [best = null] = isPending ? [] : after.toSorted((left, right) => STATUS_RANK[right.status] - STATUS_RANK[left.status]);
      return { bundle, carrier, best };
    }
  }
  return null;
}

/** Lets a fallback that has become due carry the digest. */
function handOn(carried: Carried, changes: Map<readonly LoadedDelivery[], ChainChange>): void {
  bundleFallbacks(carried, changes, "pending");
}

/** Lets a fallback that still waits carry the digest, should its channel say later that the digest did not arrive. */
function keepCarrying(carried: Carried, changes: Map<readonly LoadedDelivery[], ChainChange>): void {
  bundleFallbacks(carried, changes, "waiting");
}

function bundleFallbacks({ carrier }: Carried, changes: Map<readonly LoadedDelivery[], ChainChange>, which: "pending" | "waiting"): void {
  const change = changes.get(carrier);
  if (change !== undefined) {
    const chain = change.chain.map((one) => (one.isFallback && one.status === which ? bundled(one, one.dueAt) : one));
    changes.set(carrier, { ...change, chain });
  }
}

/** The chain of another entry once its digest has settled. Its fallbacks start only if the digest had none. */
function asCarried(
  [primary, ...fallbacks]: readonly LoadedDelivery[],
  {
    hadFallback,
    best,
    send,
    now,
  }: { readonly hadFallback: boolean; readonly best: Delivery; readonly send: SendState; readonly now: Date },
): readonly Delivery[] {
  if (primary === undefined) {
    return [];
  }
  const { status, reason, reasonSource } = best;
  const after = settled(primary, { status, reason, reasonSource, now });
  return hadFallback ? [after, ...fallbacks.map((one) => stopped(one, now))] : followPrimary([after, ...fallbacks], send, now);
}

function isWaiting(delivery: LoadedDelivery | undefined): boolean {
  return delivery !== undefined && delivery.status === "pending" && delivery.leaseOwner === null && delivery.reason === "bundled";
}
