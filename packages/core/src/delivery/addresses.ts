import { isTimeZone } from "../decisions/index.ts";
import type { Owner } from "../foundation/context.ts";
import { textOf } from "../foundation/errors.ts";
import { describe, shown } from "../foundation/parse-text.ts";
import type { RepeatedLines } from "../foundation/repeated-lines.ts";
import { isLocale } from "../notifications/index.ts";
import { Coalesced } from "../work/batch-queue.ts";
import { Cancellation, withinTime } from "../work/timing.ts";
import type { Channel, Contact, DeliveryFailure, Directory } from "./channel.ts";
import { addressProblem } from "./channel-info.ts";
import type { DeliveryContext } from "./context.ts";
import type { AddressClaim, Delivery } from "./delivery.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";
import type { Ruling } from "./delivery-transitions.ts";
import type { StoredDevice } from "./device.ts";

interface Wanted {
  readonly tenant: string;
  readonly userId: string;
  readonly channel: string;
}

/** Where a recipient is reached, and in which language. */
export interface Reached {
  readonly address: string;
  /** As a BCP 47 tag. */
  readonly locale: string;
  /** Of the user, as the directory has it; null for none. */
  readonly timeZone: string | null;
  /** The devices that stand in for an address; one at least. @default there is an address */
  readonly devices?: readonly StoredDevice[];
}

type WhereReached = Reached | DeliveryFailure | Ruling;

/** What the directory says of a user, for one channel. */
interface Found {
  readonly address: unknown;
  readonly locale: unknown;
  readonly timeZone: unknown;
}

/** Finds a recipient's address for a channel. If the recipient is not an address, it asks the host's directory. */
export class Addresses {
  readonly #directory: Directory | null;
  readonly #locale: string;
  readonly #lines: RepeatedLines;
  readonly #found: Coalesced<Wanted, Found>;
  readonly #devices: Coalesced<Owner, readonly StoredDevice[]>;

  constructor({ directory, locale, lines, devices }: Pick<DeliveryContext, "directory" | "locale" | "lines" | "devices">) {
    this.#lines = lines;
    this.#directory = directory;
    this.#locale = locale;
    this.#found = new Coalesced((wanted) => this.#lookUp(wanted));
    this.#devices = new Coalesced((owners) => devicesOf(devices, owners));
  }

  /**
   * Returns the address, the language and the time zone, or the reason why there is no address; that a user has none is a ruling.
   * The language is the service's for a recipient that is an address, and for users whose contact has none. The directory's time counts as the attempt's, which is limited.
   * For an address there is nothing to wait for, and no promise.
   */
  of(delivery: Pick<Delivery, "tenant" | "recipient">, channel: Channel): WhereReached | Promise<WhereReached> {
    try {
      if (problemOfAddress(channel, delivery.recipient) === null) {
        return { address: delivery.recipient, locale: this.#locale, timeZone: null };
      }
    } catch (error) {
      return failureOf(error, channel);
    }
    return this.#ofUser(delivery, channel);
  }

  async #ofUser({ tenant, recipient: userId }: Pick<Delivery, "tenant" | "recipient">, channel: Channel): Promise<WhereReached> {
    const reached = await this.#byDirectory({ tenant, userId }, channel);
    const { devices: platforms } = channel;
    if (platforms === undefined || !("address" in reached) || reached.address !== "") {
      return reached;
    }
    const found = await this.#devices.get({ tenant, userId });
    const devices = found.filter(({ platform }) => platforms.includes(platform));
    if (devices.length === 0) {
      return { outcome: "skip", reason: "no_address", source: "devices" };
    }
    return { ...reached, devices };
  }

  async #byDirectory({ tenant, userId: recipient }: Owner, channel: Channel): Promise<WhereReached> {
    const { name, devices } = channel;
    try {
      if (this.#directory === null) {
        if (devices !== undefined) {
          return { address: "", locale: this.#locale, timeZone: null };
        }
        throw new NoAddress(`The recipient is no address for ${name}, and the service has no directory to ask for one.`);
      }
      const { address, locale, timeZone } = await this.#found.get({ tenant, userId: recipient, channel: name });
      const isNone = address === null || address === undefined;
      if (isNone && devices === undefined) {
        return { outcome: "skip", reason: "no_address", source: "directory" };
      }
      const own = { tenant, userId: recipient };
      const rest = { locale: this.#localeOf(locale, own), timeZone: this.#zoneOf(timeZone, own) };
      return { address: isNone ? "" : checkAddress(channel, address), ...rest };
    } catch (error) {
      return failureOf(error, channel);
    }
  }

  #localeOf(locale: unknown, owner: Owner): string {
    if (isLocale(locale)) {
      return locale;
    }
    if (locale !== undefined && locale !== null) {
      const message = `The host's directory gave a locale that is no BCP 47 tag such as "pt-BR"; the service's locale counts.`;
      this.#lines.warn({ ...owner, locale: shown(locale) }, message);
    }
    return this.#locale;
  }

  #zoneOf(timeZone: unknown, owner: Owner): string | null {
    if (typeof timeZone === "string" && isTimeZone(timeZone)) {
      return timeZone;
    }
    if (timeZone !== undefined && timeZone !== null) {
      const message = `The host's directory gave a time zone that is no IANA zone such as "Europe/Berlin"; the tenant's counts, else UTC.`;
      this.#lines.warn({ ...owner, timeZone: shown(timeZone) }, message);
    }
    return null;
  }

  async #lookUp(wanted: readonly Wanted[]): Promise<readonly Found[]> {
    const contacts = new Map<string, ReadonlyMap<string, unknown>>();
    for (const [tenant, group] of Map.groupBy(wanted, (one) => one.tenant)) {
      const ids = [...new Set(group.map(({ userId }) => userId))];
      const answer: unknown = (await this.#directory?.(ids, { tenant })) ?? new Map();
      if (!(answer instanceof Map)) {
        const got = describe(answer);
        throw new NoAddress(`The host's directory failed: it answered a value of the type ${got}; expected a Map of user ids to contacts.`);
      }
      contacts.set(tenant, answer);
    }
    return wanted.map(({ tenant, userId, channel }) => {
      const contact = contacts.get(tenant)?.get(userId) as Readonly<Record<string, unknown>> | null | undefined;
      return { address: contact?.[channel], locale: contact?.locale, timeZone: contact?.timeZone };
    });
  }
}

/** The devices of each of these users. */
async function devicesOf(devices: DeliveryContext["devices"], owners: readonly Owner[]): Promise<readonly (readonly StoredDevice[])[]> {
  const found = new Map<string, ReadonlyMap<string, readonly StoredDevice[]>>();
  for (const [tenant, group] of Map.groupBy(owners, (owner) => owner.tenant)) {
    const all = await devices.of(tenant, [...new Set(group.map(({ userId }) => userId))]);
    found.set(
      tenant,
      Map.groupBy(all, ({ userId }) => userId),
    );
  }
  return owners.map(({ tenant, userId }) => found.get(tenant)?.get(userId) ?? []);
}

/** Has each address that recipients share reached once over a channel, whichever of them comes first. */
export class SharedAddresses {
  readonly #taken: Coalesced<AddressClaim, boolean>;

  constructor(deliveries: Pick<DeliveryContext["deliveries"], "takeAddresses">) {
    this.#taken = new Coalesced((claims) => deliveries.takeAddresses(claims));
  }

  /** Returns what stands against a claimed delivery to this address, or null. */
  async ruling({ delivery, state }: ClaimedDelivery, address: string): Promise<Ruling | null> {
    const isFree = state.addresses === "own" || (await this.#taken.get({ deliveryId: delivery.id, channel: delivery.channel, address }));
    return isFree ? null : { outcome: "skip", reason: "same_address", source: "notification" };
  }
}

/** Why there is no address, and why another attempt would find none either. */
class NoAddress extends Error {}

function failureOf(error: unknown, { name }: Channel): DeliveryFailure {
  const isFinal = error instanceof NoAddress;
  const text = isFinal ? error.message : `The host's directory failed: ${textOf(error)}`;
  return { status: "failed", transient: !isFinal, error: text, provider: name };
}

/** Why `address` is none, or null. The check is the host's own code and may throw. */
function problemOfAddress(channel: Channel, address: string): string | null {
  try {
    return channel.invalidRecipient(address);
  } catch (error) {
    throw new NoAddress(`The channel ${channel.name} could not check an address, its invalidRecipient() threw: ${textOf(error)}`);
  }
}

function checkAddress(channel: Channel, address: unknown): string {
  const { name } = channel;
  if (typeof address !== "string") {
    const got = describe(address);
    throw new NoAddress(`The host's directory gave a value of the type ${got} as the ${name} address of this user; expected a text.`);
  }
  const problem = problemOfAddress(channel, address);
  if (problem !== null) {
    throw new NoAddress(`The ${name} address that the host's directory gave ${addressProblem(problem, channel)}.`);
  }
  return address;
}

/** How long the directory may take to say how a user can be reached, where no delivery waits for it. */
const LOOK_UP_MS = 5_000;

/** The parts that {@link reachableOver} uses. */
type ReachContext = Pick<DeliveryContext, "channels" | "directory" | "devices" | "clock" | "logger">;

/**
 * Returns the channels over which a user can be reached: those that are set up for the tenant, and have an address of the user, or
 * take the user's id as one, or a device; and the language of the user, null for one that is not known. A directory that fails, or takes longer
 * than 5 seconds, leaves all channels.
 */
export async function reachableOver(
  context: ReachContext,
  { tenant, userId }: Owner,
): Promise<{ readonly channels: ReadonlySet<string>; readonly locale: string | null }> {
  const { channels, directory, devices, clock, logger } = context;
  const configured = [...channels.values()].filter((channel) => isConfigured(channel, tenant));
  const named = (some: readonly Channel[]) => new Set(some.map(({ name }) => name));
  const own = configured.some((channel) => channel.devices !== undefined) ? await devices.of(tenant, [userId]) : [];
  const isOwnAddress = (channel: Channel) =>
    isAddress(channel, userId) || own.some(({ platform }) => channel.devices?.includes(platform) === true);
  if (directory === null) {
    return { channels: named(configured.filter(isOwnAddress)), locale: null };
  }
  try {
    const contact = await contactOf({ directory, clock }, { tenant, userId });
    const reached = configured.filter((channel) => isOwnAddress(channel) || isAddress(channel, contact?.[channel.name]));
    return { channels: named(reached), locale: isLocale(contact?.locale) ? contact.locale : null };
  } catch (error) {
    logger.warn({ error }, "The host's directory did not say how a user can be reached; preferences show every channel.");
    return { channels: named(configured), locale: null };
  }
}

/** How many addresses of a user count. */
const MAX_ADDRESSES = 20;

/**
 * Returns the addresses that the directory has for a user over the host's channels, each once. A directory that fails, or takes longer than 5
 * seconds, has none.
 */
export async function addressesOf(
  { channels, directory, clock, logger }: Omit<ReachContext, "devices">,
  owner: Owner,
): Promise<readonly string[]> {
  if (directory === null) {
    return [];
  }
  try {
    const contact = await contactOf({ directory, clock }, owner);
    const addresses = [...channels.keys()].flatMap((name) => {
      const address: unknown = contact?.[name];
      return typeof address === "string" ? [address, address.toLowerCase()] : [];
    });
    return [...new Set(addresses)].slice(0, MAX_ADDRESSES);
  } catch (error) {
    logger.warn({ error }, "The host's directory did not say which addresses a user has; what went to addresses alone is not found.");
    return [];
  }
}

/** What the directory says of a user, within its time. */
async function contactOf(
  { directory, clock }: { readonly directory: Directory; readonly clock: ReachContext["clock"] },
  { tenant, userId }: Owner,
): Promise<Contact | undefined> {
  const limit = { clock, timeoutMs: LOOK_UP_MS, cancellation: new Cancellation() };
  return (await withinTime(async () => directory([userId], { tenant }), limit)).get(userId);
}

function isConfigured(channel: Channel, tenant: string): boolean {
  try {
    return channel.isConfigured?.(tenant) ?? true;
  } catch {
    // What a channel cannot say is said when it delivers.
    return true;
  }
}

function isAddress(channel: Channel, address: unknown): boolean {
  try {
    return typeof address === "string" && channel.invalidRecipient(address) === null;
  } catch {
    return false;
  }
}
