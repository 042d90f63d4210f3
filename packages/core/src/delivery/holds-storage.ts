import type { Endpoint } from "./delivery.ts";
import type { OpenCircuit } from "./delivery-state.ts";

/**
 * The part of a storage that keeps what holds deliveries back, for people to see. Endpoints are those of all tenants: nothing else of a
 * delivery is kept with them.
 */
export interface HoldsStorage {
  /** Notes that an endpoint rests. One that is noted already keeps the time at which it began. */
  openCircuit(circuit: OpenCircuit): Promise<void>;
  /** Forgets that an endpoint rests. Does nothing for one that is not noted. */
  closeCircuit(endpoint: Endpoint): Promise<void>;
  /** Those of these endpoints that are noted, in no particular order; some may rest no longer. */
  circuitsOf(endpoints: readonly Endpoint[]): Promise<readonly OpenCircuit[]>;
  /** Forgets endpoints that have rested no longer since `before`. */
  pruneCircuits(before: Date): Promise<void>;
  /** Forgets every endpoint of a recipient, named as senders named it. */
  eraseCircuits(recipient: string): Promise<void>;
}
