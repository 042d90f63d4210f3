import { setNewest } from "../foundation/bounds.ts";
import type { Emits } from "../foundation/context.ts";
import type { RepeatedLines } from "../foundation/repeated-lines.ts";
import { Coalesced } from "../work/batch-queue.ts";
import { nextTurn } from "../work/timing.ts";
import type { Ruling } from "./chains.ts";
import type { Channel } from "./channel.ts";
import type { Place, Suppression, SuppressionEvents, SuppressionSource } from "./suppressions-storage.ts";

/** An address of a tenant, over a channel. */
export interface AskedAddress {
  readonly tenant: string;
  readonly place: Place;
}

/** How many tenants are remembered as having suppressed addresses. */
const MAX_TENANTS = 1_000;

/** The tenants that are asked about in one turn of the event loop, and those of them that have suppressed addresses. */
interface AskedTenants {
  readonly tenants: Set<string>;
  readonly some: Promise<ReadonlySet<string>>;
}

/**
 * Says what stands against delivering to an address. What is asked in one turn of the event loop is read at once. Most tenants have no
 * suppressed address: whether they have any is one look for a whole batch, and it comes before one for each address.
 */
export class SuppressedAddresses {
  readonly #suppressions: SuppressionSource;
  readonly #found: Coalesced<AskedAddress, Suppression | null>;
  #asked: AskedTenants | null = null;
  /** Tenants that had some when they were last asked about: their addresses are looked for at once. */
  readonly #haveSome = new Map<string, true>();

  constructor(suppressions: SuppressionSource) {
    this.#suppressions = suppressions;
    this.#found = new Coalesced((asked) => suppressionsOf(suppressions, asked));
  }

  /** Returns what stands against a delivery to this address, or null. */
  async ruling({ tenant, channel, address }: { tenant: string; channel: Channel; address: string }): Promise<Ruling | null> {
    if (!this.#haveSome.has(tenant) && !(await this.#whichHaveSome(tenant)).has(tenant)) {
      return null;
    }
    const found = await this.#found.get({ tenant, place: placeOf(channel, address) });
    return found === null ? null : { outcome: "skip", reason: "suppressed", source: "suppressions" };
  }

  /** Everybody who asks in one turn of the event loop gets the same promise. */
  #whichHaveSome(tenant: string): Promise<ReadonlySet<string>> {
    if (this.#asked === null) {
      const tenants = new Set<string>();
      this.#asked = { tenants, some: this.#lookFor(tenants) };
    }
    this.#asked.tenants.add(tenant);
    return this.#asked.some;
  }

  async #lookFor(tenants: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    await nextTurn();
    this.#asked = null;
    const some = await this.#suppressions.tenantsWithSome([...tenants]);
    for (const tenant of some) {
      setNewest(this.#haveSome, [tenant, true], MAX_TENANTS);
    }
    return new Set(some);
  }
}

/** The parts that are asked and told what a change suppressed. */
interface Telling {
  readonly suppressions: SuppressionSource;
  readonly events: Emits<SuppressionEvents>;
  readonly lines: Pick<RepeatedLines, "warn">;
}

/**
 * Runs `change`, and tells the host's listeners which of these addresses it suppressed, each once. Returns its result, and those that are
 * suppressed then; null for those if the storage could not be asked, which fails nothing: the change counts all the same.
 */
export async function tellSuppressed<Result>(
  { suppressions, events, lines }: Telling,
  asked: readonly AskedAddress[],
  change: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly suppressed: readonly Suppression[] | null }> {
  const addresses = [...new Map(asked.map((one) => [`${one.tenant}\u0000${keyOf(one.place)}`, one])).values()];
  const look = async () => {
    try {
      return await suppressionsOf(suppressions, addresses);
    } catch (error) {
      lines.warn({ error }, "Belfry could not see which addresses were suppressed; the event address.suppressed may be missing.");
      return null;
    }
  };
  const before = await look();
  const result = await change();
  const after = await look();
  for (const [index, { tenant }] of addresses.entries()) {
    const suppression = after?.[index] ?? null;
    if (before?.[index] === null && suppression !== null) {
      events.emit("address.suppressed", { ...suppression, tenant });
    }
  }
  return { result, suppressed: after?.flatMap((one) => one ?? []) ?? null };
}

/** The place that an address is. A channel that is not there, or fails, compares addresses as they are. */
export function placeOf(channel: Pick<Channel, "name" | "comparableAddress">, address: string): Place {
  const { name } = channel;
  try {
    const comparable: unknown = channel.comparableAddress?.(address) ?? address;
    return { channel: name, address: typeof comparable === "string" ? comparable : address };
  } catch {
    return { channel: name, address };
  }
}

/** Every place that addresses may be, over any of the channels. */
export function placesOf(channels: Iterable<Channel>, addresses: readonly string[]): readonly Place[] {
  return [...channels].flatMap((channel) => addresses.map((address) => placeOf(channel, address)));
}

async function suppressionsOf(suppressions: SuppressionSource, asked: readonly AskedAddress[]): Promise<readonly (Suppression | null)[]> {
  const found = new Map<string, ReadonlyMap<string, Suppression>>();
  for (const [tenant, group] of Map.groupBy(asked, (one) => one.tenant)) {
    const places = new Map(group.map(({ place }) => [keyOf(place), place]));
    const known = await suppressions.of(tenant, [...places.values()]);
    found.set(tenant, new Map(known.map((one) => [keyOf(one), one])));
  }
  return asked.map(({ tenant, place }) => found.get(tenant)?.get(keyOf(place)) ?? null);
}

function keyOf({ channel, address }: Place): string {
  return `${channel}\u0000${address}`;
}
