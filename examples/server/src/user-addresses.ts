import type { Channel, Contact, Directory } from "@belfry/core";
import { z } from "zod";

const NAME = "USER_ADDRESSES";

const addresses = z.record(z.string().min(1), z.record(z.string().min(1), z.string().min(1)));

/** The addresses of users by channel. */
export type UserAddresses = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** Reads `USER_ADDRESSES`: JSON, since addresses may be URLs. @throws Error that names the variable */
export function readAddresses(text = "{}"): UserAddresses {
  try {
    return new Map(Object.entries(addresses.parse(JSON.parse(text))));
  } catch {
    // What the parser says repeats addresses.
    throw new Error(`${NAME}: must be JSON such as {"ann": {"sms": "+4930123456", "slack": "U024BE7LH"}}.`);
  }
}

/**
 * Knows the addresses of users; undefined where none are given.
 *
 * @throws Error that names the variable, for an address that no channel takes
 */
export function directoryOf(
  { userAddresses, userEmails }: { readonly userAddresses: UserAddresses; readonly userEmails: ReadonlyMap<string, string> },
  channels: readonly Channel[],
): Directory | undefined {
  for (const [user, given] of userAddresses) {
    for (const [name, address] of Object.entries(given)) {
      requireAddress(channels, { user, name, address });
    }
  }
  if (userEmails.size + userAddresses.size === 0) {
    return undefined;
  }
  return (ids) =>
    new Map(
      ids.flatMap((id): readonly (readonly [string, Contact])[] => {
        const email = userEmails.get(id);
        const contact = { ...(email !== undefined && { email }), ...userAddresses.get(id) };
        return Object.keys(contact).length === 0 ? [] : [[id, contact]];
      }),
    );
}

function requireAddress(
  channels: readonly Channel[],
  { user, name, address }: { readonly user: string; readonly name: string; readonly address: string },
): void {
  const channel = channels.find((one) => one.name === name);
  if (channel === undefined) {
    const known = channels.map((one) => one.name).join(", ");
    throw new Error(`${NAME}: ${user} has an address for ${JSON.stringify(name)}, which is no channel; the channels are ${known}.`);
  }
  const problem = channel.invalidRecipient(address);
  if (problem !== null) {
    throw new Error(`${NAME}: the address of ${user} for ${name} ${problem}; ${name} takes ${channel.takes ?? "others"}.`);
  }
}
