import type { Owner } from "../foundation/context.ts";
import type { Endpoint } from "./delivery.ts";
import type { OpenCircuit } from "./delivery-state.ts";
import type { Pause, PausedPlace, StoredPause } from "./pause.ts";

/**
 * The part of a storage that keeps what holds deliveries back. Endpoints that rest are those of all tenants, for people to see: nothing else of a
 * delivery is kept with them. Pauses are a tenant's own.
 */
export interface HoldsStorage {
  /** Notes that an endpoint rests. One that is noted already keeps the time at which it began. */
  openCircuit(circuit: OpenCircuit): Promise<void>;
  /** Forgets that an endpoint rests. Does nothing for one that is not noted. */
  closeCircuit(endpoint: Endpoint): Promise<void>;
  /** Those of these endpoints that are noted, in no particular order; some may rest no longer. */
  circuitsOf(endpoints: readonly Endpoint[]): Promise<readonly OpenCircuit[]>;
  /** The endpoints that rest at a moment: up to `limit` of them, the longest first. */
  restingAt(at: Date, limit: number): Promise<readonly OpenCircuit[]>;
  /** Forgets endpoints that have rested no longer since `before`. */
  pruneCircuits(before: Date): Promise<void>;
  /** Forgets that endpoints of a recipient rest, named as senders named it. */
  eraseCircuits(recipient: string): Promise<void>;

  /** The pauses of all tenants, by tenant, the widest first; also those that were resumed and still release what they held back. */
  pauses(): Promise<readonly StoredPause[]>;
  /** Pauses a place, also one that was resumed and still releases. False if it is paused already. */
  pause(tenant: string, pause: Pause): Promise<boolean>;
  /** Notes that a place is resumed. False if it is not paused. */
  resume(tenant: string, place: PausedPlace, at: Date): Promise<boolean>;
  /** Makes up to `limit` deliveries of a place due that a pause held back and that nobody holds, the oldest notifications first. Returns how many. */
  release(place: PausedPlace & { readonly tenant: string }, limit: number, at: Date): Promise<number>;
  /** Forgets a pause that was resumed; one that was paused or resumed anew since stays. */
  forgetPause(pause: StoredPause): Promise<void>;
  /** Forgets the pauses of a tenant whose place is this user's, and empties the actor of those that the user made. */
  erasePauses(owner: Owner): Promise<void>;
}
