import type { Owner } from "../foundation/context.ts";
import { textOf } from "../foundation/errors.ts";
import { Cancellation, withinTime } from "../work/timing.ts";
import { Addresses } from "./addresses.ts";
import type { Channel } from "./channel.ts";
import type { DeliveryContext } from "./context.ts";
import { placeOf } from "./suppressed-addresses.ts";
import type { Suppression } from "./suppressions-storage.ts";

/** Where a user is reached over a channel, as a delivery would find it now. */
export interface UserAddress {
  readonly channel: string;
  /** The address that the directory gives, or the user's id where that is one; null for none. */
  readonly address: string | null;
  /** How many devices stand in for an address. */
  readonly devices: number;
  /** Why nothing is delivered to the address; null if nothing stands against it. */
  readonly suppression: Suppression | null;
  /** Why no address could be found; null if one was, or the user has none. */
  readonly problem: string | null;
}

/** How long the directory may take. */
const LOOK_UP_MS = 5_000;

/** Finds where a user is reached over each of the host's channels, by name. What the directory cannot say is a problem of that channel alone. */
export async function addressesOfUser(context: DeliveryContext, owner: Owner): Promise<readonly UserAddress[]> {
  const addresses = new Addresses(context);
  const found = [...context.channels.values()].map((channel) => addressOver(context, channel, { owner, addresses }));
  return (await Promise.all(found)).toSorted((one, other) => (one.channel < other.channel ? -1 : 1));
}

async function addressOver(
  { clock, suppressions }: DeliveryContext,
  channel: Channel,
  { owner: { tenant, userId }, addresses }: { readonly owner: Owner; readonly addresses: Addresses },
): Promise<UserAddress> {
  const none: UserAddress = { channel: channel.name, address: null, devices: 0, suppression: null, problem: null };
  try {
    const limit = { clock, timeoutMs: LOOK_UP_MS, cancellation: new Cancellation() };
    const reached = await withinTime(async () => addresses.of({ tenant, recipient: userId }, channel), limit);
    if ("outcome" in reached) {
      return none;
    }
    if ("status" in reached) {
      return { ...none, problem: reached.error };
    }
    if (reached.devices !== undefined) {
      return { ...none, devices: reached.devices.length };
    }
    const [suppression = null] = await suppressions.of(tenant, [placeOf(channel, reached.address)]);
    return { ...none, address: reached.address, suppression };
  } catch (error) {
    return { ...none, problem: textOf(error) };
  }
}
