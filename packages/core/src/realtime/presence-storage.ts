import type { Owner } from "../foundation/owner.ts";

/**
 * Who has an open socket or stream, over all instances. Rows are leased: what a killed instance left expires. A storage
 * that a single process uses needs none; the process knows.
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
  /** Which of the users are connected anywhere, in the order of `owners`. */
  online(owners: readonly Owner[]): Promise<readonly boolean[]>;
}
