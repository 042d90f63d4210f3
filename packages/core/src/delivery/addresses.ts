import { describe } from "../foundation/parse-text.ts";
import { Coalesced } from "../work/coalesced.ts";
import type { Channel, DeliveryFailure } from "./channel.ts";
import type { Delivery } from "./delivery.ts";
import type { Directory } from "./directory.ts";

interface Wanted {
  readonly tenant: string;
  readonly userId: string;
  readonly channel: string;
}

/** Finds a recipient's address for a channel. If the recipient is not an address, it asks the host's directory. */
export class Addresses {
  readonly #directory: Directory | null;
  readonly #found: Coalesced<Wanted, unknown>;

  constructor(directory: Directory | null) {
    this.#directory = directory;
    this.#found = new Coalesced((wanted) => this.#lookUp(wanted));
  }

  /** Returns the address, or the reason why there is none. The directory's time counts as the attempt's, which is limited. */
  async of({ tenant, recipient }: Delivery, channel: Channel): Promise<string | DeliveryFailure> {
    const { name } = channel;
    const failed = (error: string, transient: boolean): DeliveryFailure => ({ status: "failed", transient, error, provider: name });
    try {
      if (channel.invalidRecipient(recipient) === null) {
        return recipient;
      }
    } catch (error) {
      return failed(checkFailure(name, error), false);
    }
    if (this.#directory === null) {
      return failed(`The recipient is no address for ${name}, and the service has no directory to ask for one.`, false);
    }
    let address: unknown;
    try {
      address = await this.#found.get({ tenant, userId: recipient, channel: name });
    } catch (error) {
      return failed(`The host's directory failed: ${textOf(error)}`, !(error instanceof WrongAnswer));
    }
    if (address === null || address === undefined) {
      return failed(`The host's directory knows no ${name} address of this user.`, false);
    }
    if (typeof address !== "string") {
      return failed(
        `The host's directory gave a value of the type ${describe(address)} as the ${name} address of this user; expected a text.`,
        false,
      );
    }
    try {
      const invalid = channel.invalidRecipient(address);
      return invalid === null ? address : failed(`The ${name} address that the host's directory gave ${invalid}.`, false);
    } catch (error) {
      return failed(checkFailure(name, error), false);
    }
  }

  async #lookUp(wanted: readonly Wanted[]): Promise<readonly unknown[]> {
    const contacts = new Map<string, ReadonlyMap<string, unknown>>();
    for (const [tenant, group] of Map.groupBy(wanted, (one) => one.tenant)) {
      const ids = [...new Set(group.map(({ userId }) => userId))];
      const answer: unknown = (await this.#directory?.(ids, { tenant })) ?? new Map();
      if (!(answer instanceof Map)) {
        throw new WrongAnswer(`it answered a value of the type ${describe(answer)}; expected a Map of user ids to contacts.`);
      }
      contacts.set(tenant, answer);
    }
    return wanted.map(({ tenant, userId, channel }) => {
      const contact = contacts.get(tenant)?.get(userId) as Readonly<Record<string, unknown>> | null | undefined;
      return contact?.[channel];
    });
  }
}

/** A wrong answer of the directory that another attempt would not change. */
class WrongAnswer extends Error {}

function checkFailure(name: string, error: unknown): string {
  return `The channel ${name} could not check an address, its invalidRecipient() threw: ${textOf(error)}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
