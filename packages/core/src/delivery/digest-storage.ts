import type { Owner } from "../foundation/context.ts";
import type { ErasureStep, ExportStep, JsonObject, StepRange, SweepStep } from "../foundation/json.ts";
import type { Notification } from "../notifications/index.ts";
import type { Lease, LeaseStorage, LostLease } from "../work/lease-storage.ts";
import type { DeliveryStatus } from "./delivery.ts";
import type { Digest, EntryPlan } from "./digest.ts";

/** A digest that a worker has leased, because its window has closed or its delivery is to be looked after. */
export interface ClaimedDigest extends Lease {
  readonly digest: Digest;
  readonly attempt: number;
}

/** A delivery that waits to be put into a window. */
export interface UntakenEntry extends Owner {
  readonly deliveryId: string;
  readonly channel: string;
  readonly plan: EntryPlan;
  /** From when it may be put into a window: the notification's creation, or when it is scheduled. */
  readonly dueAt: Date;
}

/** A delivery that is to be put into a window, and the window that opens for it if none is open. */
export interface TakenEntry extends UntakenEntry {
  /** The id of that window: the same for all entries of one place in a call. */
  readonly digestId: string;
  /** When that window opened, as its digest says it. */
  readonly openedAt: Date;
  /** When that window closes; for a sliding one that is open already, how far this entry moves its end. */
  readonly closesAt: Date;
  /** The latest time at which that window closes if it is a sliding one; else null. */
  readonly lastAt: Date | null;
}

/** A delivery in a digest, with its notification. */
export interface DigestMember {
  readonly deliveryId: string;
  readonly status: DeliveryStatus;
  /** The topic that brought it; null for none. */
  readonly topic: string | null;
  readonly notification: Notification;
  readonly scheduledAt: Date | null;
  /** The sender's own data; the notification's where there are no details. */
  readonly meta: JsonObject;
}

/** A rendered digest, as its delivery needs it. */
export interface StoredBundle {
  readonly digest: Digest;
  /** The entries that are shown, in their order. */
  readonly shown: readonly DigestMember[];
  /** The deliveries of all its entries, in their order. */
  readonly deliveryIds: readonly string[];
  /** The types of all its entries, each once. */
  readonly types: readonly string[];
}

/**
 * How a digest is to be: what a decision on its chains writes of it. Its lease ends with that. One that is to be open again stays
 * `closing` if another of its place has opened meanwhile.
 */
export interface DigestChange extends Pick<Digest, "id" | "state" | "closesAt" | "renderedAt" | "closedAt" | "shown" | "total"> {
  /** When a worker is to look at it again; null for never. */
  readonly dueAt: Date | null;
  /** The deliveries of its entries in their order, where it is rendered now; null leaves them. */
  readonly places: readonly string[] | null;
}

/**
 * The part of a storage that keeps digests and their windows. Entries are written with their deliveries; what becomes of a digest
 * is written by `DeliveryStorage.settle`, together with its deliveries.
 */
export interface DigestStorage {
  /** Leases of digests that are due. A claim closes their windows: they get no more entries. Entries that are in no window count for the next due time. */
  readonly leases: LeaseStorage<ClaimedDigest>;

  /** Up to `limit` entries that are due and in no window yet, the oldest first. Only what has been committed is among them. */
  untaken(limit: number, at: Date): Promise<readonly UntakenEntry[]>;

  /**
   * Puts entries into the open windows of their places, and opens those that are missing. A window that is due by `at` closes
   * first, and one that has {@link FULL_WINDOW} entries takes no more: it is `closing`, and due when it was. Entries whose own window
   * closes by `at`, because they come late, go into an open one that is due by then; beside one that closes later they have a window of
   * their own, which takes no others. Those of one place in a call are all late, or none is. Of a window with `leading` that opens now, the first entry becomes due by itself. What another call has taken meanwhile
   * stays where it is; entries whose deliveries are not pending any more are forgotten.
   *
   * @param token a text that no other call has
   */
  take(entries: readonly TakenEntry[], at: Date, token: string): Promise<void>;

  /** Makes digests due again whose leases were lost and not renewed since. */
  release(leases: readonly LostLease[]): Promise<void>;

  /** The entries of a digest, in the order in which they were written. `after` is what the step before answered. */
  members(digestId: string, range: StepRange): Promise<{ readonly members: readonly DigestMember[]; readonly next: string | null }>;

  /**
   * The rendered digest that a delivery is an entry of, or stands in for as a fallback; null for none. One that is closed is found by a
   * delivery whose reason is `bundled`: the fallback that still carries it.
   */
  bundleOf(deliveryId: string): Promise<StoredBundle | null>;

  /** The digests of deliveries, by their ids; those that are in none are left out. */
  digestsOf(tenant: string, deliveryIds: readonly string[]): Promise<ReadonlyMap<string, Digest>>;

  /** The open windows of a user. */
  openOf(owner: Owner): Promise<readonly Digest[]>;

  /** The open windows of a tenant, user by user. */
  openIn(tenant: string, range: StepRange): Promise<{ readonly digests: readonly Digest[]; readonly next: string | null }>;

  /** Moves the end of windows, of those that are open. */
  move(tenant: string, ids: readonly string[], closesAt: Date): Promise<void>;

  /** Removes up to `limit` digests of a user; their deliveries are erased before. */
  erase(owner: Owner, limit: number): Promise<ErasureStep>;

  /** Reads the digests of a user, the oldest first. */
  export(owner: Owner, range: StepRange): Promise<ExportStep<Digest>>;

  /** Removes digests that were closed before `before`. */
  sweep(before: Date, range: StepRange): Promise<SweepStep>;
}
