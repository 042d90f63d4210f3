import { Coalesced } from "../work/coalesced.ts";
import type { Channel, DeliveryFailure } from "./channel.ts";
import type { Delivery } from "./delivery.ts";
import type { Directory } from "./directory.ts";

interface Wanted {
  readonly tenant: string;
  readonly userId: string;
  readonly channel: string;
}

/** Finds where a recipient is reached over a channel: what is no address itself, the host's directory is asked for. */
export class Addresses {
  readonly #directory: Directory | null;
  readonly #found: Coalesced<Wanted, string | null>;

  constructor(directory: Directory | null) {
    this.#directory = directory;
    this.#found = new Coalesced((wanted) => this.#lookUp(wanted));
  }

  /** The address, or why there is none. */
  async of({ tenant, recipient }: Delivery, channel: Channel): Promise<string | DeliveryFailure> {
    const problem = channel.invalidRecipient(recipient);
    if (problem === null) {
      return recipient;
    }
    const failed = (error: string, transient: boolean): DeliveryFailure => ({ status: "failed", transient, error, provider: channel.name });
    if (this.#directory === null) {
      return failed(`The recipient is no address for ${channel.name}, and the service has no directory to ask for one.`, false);
    }
    let address: string | null;
    try {
      address = await this.#found.get({ tenant, userId: recipient, channel: channel.name });
    } catch (error) {
      return failed(`The host's directory failed: ${error instanceof Error ? error.message : String(error)}`, true);
    }
    if (address === null) {
      return failed(`The host's directory knows no ${channel.name} address of this user.`, false);
    }
    const invalid = channel.invalidRecipient(address);
    return invalid === null ? address : failed(`The ${channel.name} address that the host's directory gave ${invalid}.`, false);
  }

  async #lookUp(wanted: readonly Wanted[]): Promise<readonly (string | null)[]> {
    const contacts = new Map<string, ReadonlyMap<string, Readonly<Record<string, string | undefined>>>>();
    for (const [tenant, group] of Map.groupBy(wanted, (one) => one.tenant)) {
      const ids = [...new Set(group.map(({ userId }) => userId))];
      contacts.set(tenant, (await this.#directory?.(ids, { tenant })) ?? new Map());
    }
    return wanted.map(({ tenant, userId, channel }) => contacts.get(tenant)?.get(userId)?.[channel] ?? null);
  }
}
