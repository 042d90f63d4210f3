import type { Owner } from "../foundation/owner.ts";

/**
 * Stores who has an open socket or stream, over all instances. Rows are leased, so the rows of a killed instance expire. A
 * storage for a single process does not need it, because the process knows.
 */
export interface PresenceStorage {
  /** Says that users came to or left this instance. */
  announce(
    instance: string,
    change: { readonly joined: readonly Owner[]; readonly left: readonly Owner[] },
    leaseMs: number,
  ): Promise<void>;
  /** Prolongs everything this instance announced. */
  renew(instance: string, leaseMs: number): Promise<void>;
  /** Takes back everything this instance announced. */
  leave(instance: string): Promise<void>;
  /** Returns whether each user is connected to any instance, in the order of `owners`. */
  online(owners: readonly Owner[]): Promise<readonly boolean[]>;
}
