import type { MaybePromise } from "../foundation/maybe-promise.ts";
import type { InboxStorage } from "./inbox-storage.ts";

/** The reads of inboxes that a replica can answer. Each is that of the same name of {@link InboxStorage}. */
export type InboxReads = Pick<InboxStorage, "list" | "counts" | "tally" | "groups">;

/** What a replica found. */
export interface FoundByReplica<Found> {
  readonly found: Found;
  /** Everything that was committed longer ago than this is in it. Above 0. */
  readonly lagMs: number;
}

/** A copy of the database that follows it, and may be behind. */
export interface ReplicaStorage {
  /**
   * Reads inboxes on a replica. Null if none can answer: it is out of reach, further behind than it may be, or refused the read. The
   * caller then reads the database itself, so a failed read does not reject.
   */
  readInboxes<Found>(read: (inbox: InboxReads) => MaybePromise<Found>): Promise<FoundByReplica<Found> | null>;
}
