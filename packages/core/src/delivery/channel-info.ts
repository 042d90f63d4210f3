import { BelfryError, textOf } from "../foundation/errors.ts";
import { INBOX_CHANNEL } from "../notifications/index.ts";
import type { Channel } from "./channel.ts";
import type { DevicePlatform } from "./device.ts";

/** A channel of the service, as those who run it see it. */
export interface ChannelInfo {
  readonly name: string;
  /** What its addresses are, such as `phone numbers with their country code`; null for a channel that does not say. */
  readonly takes: string | null;
  /** The platforms of the devices that it delivers to; empty for none. */
  readonly devices: readonly DevicePlatform[];
  /** Whether an operator can see what its messages say. */
  readonly hasPreview: boolean;
  /** Whether it can be used for the tenant. */
  readonly isConfigured: boolean;
}

const INBOX: ChannelInfo = { name: INBOX_CHANNEL, takes: "users", devices: [], hasPreview: false, isConfigured: true };

/** The channels by name. Throws `CONFIGURATION` for a name that is missing, given twice, or Belfry's own: the inbox. */
export function channelsByName(channels: readonly Channel[]): ReadonlyMap<string, Channel> {
  const byName = new Map<string, Channel>();
  for (const channel of channels) {
    if (typeof channel?.name !== "string" || channel.name === "" || channel.name === INBOX_CHANNEL || byName.has(channel.name)) {
      const got = `${JSON.stringify(channel?.name)}${byName.has(channel?.name) ? " twice" : ""}`;
      const rule = `The channels of a service need names of their own, other than "${INBOX_CHANNEL}"`;
      throw new BelfryError("CONFIGURATION", `${rule}; got ${got}.`);
    }
    byName.set(channel.name, channel);
  }
  return byName;
}

/** Describes the channels of a service, for one of its tenants: the inbox first, then the others as the service has them. */
export function describeChannels(channels: ReadonlyMap<string, Channel>, tenant: string): readonly ChannelInfo[] {
  const others = [...channels.values()].map((channel): ChannelInfo => {
    const { name, takes = null, devices = [] } = channel;
    return { name, takes, devices, hasPreview: channel.preview !== undefined, isConfigured: lackOfProvider(channel, tenant) === null };
  });
  return [INBOX, ...others];
}

/** Says why a channel cannot be used for a tenant; null if it can. The check is the host's own code and may throw. */
export function lackOfProvider(channel: Pick<Channel, "name" | "isConfigured">, tenant: string): string | null {
  try {
    return channel.isConfigured?.(tenant) === false ? `The channel ${channel.name} has no provider for this client.` : null;
  } catch (error) {
    return `The channel ${channel.name} could not say whether it is configured, its isConfigured() threw: ${textOf(error)}`;
  }
}

/** Says what is wrong with an address, without a full stop, and what its channel takes instead. */
export function addressProblem(problem: string, { name, takes }: Pick<Channel, "name" | "takes">): string {
  const sentence = problem.replace(/\.$/, "");
  return takes === undefined ? sentence : `${sentence}; ${name} takes ${takes}`;
}
