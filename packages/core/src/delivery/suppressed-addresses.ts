import { setNewest } from "../foundation/bounds.ts";
import type { Clock } from "../foundation/clock.ts";
import type { Emits } from "../foundation/context.ts";
import { isRetryable } from "../foundation/errors.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import type { RepeatedLines } from "../foundation/repeated-lines.ts";
import { INBOX_CHANNEL } from "../notifications/index.ts";
import { Coalesced } from "../work/batch-queue.ts";
import { nextTurn } from "../work/timing.ts";
import type { Channel } from "./channel.ts";
import type { Delivery } from "./delivery.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";
import type { Ruling } from "./delivery-transitions.ts";
import type { Place, Suppression, SuppressionEvents, SuppressionSource } from "./suppressions-storage.ts";

/** An address of a tenant, over a channel. */
export interface AskedAddress {
  readonly tenant: string;
  readonly place: Place;
}

/** How many tenants are remembered as having suppressed addresses. */
const MAX_TENANTS = 1_000;
/** How old a look may be that was begun before its delivery's attempt: while that was written, or by its claim. */
const FRESH_MS = 1_000;
/** How many addresses are remembered for a change that is repeated. */
const MAX_UNTOLD = 1_000;

/** The tenants that are asked about in one turn of the event loop, and those of them that have suppressed addresses. */
interface AskedTenants {
  readonly tenants: Set<string>;
  readonly some: Promise<ReadonlySet<string>>;
}

/** A delivery to an address, or what would be one. */
interface AskedDelivery {
  /** What its claim saw of its tenant. */
  readonly hasSuppressed?: boolean | undefined;
  /** The delivery's, if it has one. */
  readonly id?: string;
  readonly tenant: string;
  readonly channel: Channel;
  readonly address: string;
}

/**
 * Says what stands against delivering to an address. What is asked in one turn of the event loop is read at once. Most tenants have no
 * suppressed address: whether they have any is known from the claim, or is one look for a whole batch, and it comes before one for each address.
 */
export class SuppressedAddresses {
  readonly #suppressions: SuppressionSource;
  readonly #clock: Clock;
  readonly #found: Coalesced<AskedAddress, Suppression | null>;
  #asked: AskedTenants | null = null;
  /** Tenants that had some when they were last asked about: their addresses are looked for at once. */
  readonly #haveSome = new Map<string, true>();
  /** When the last claim was asked for that saw of a tenant that it had none. */
  readonly #hadNoneMs = new Map<string, number>();
  /** What was asked before deliveries were written, by delivery. */
  readonly #ahead = new Map<string, { readonly some: AskedTenants["some"]; readonly askedMs: number }>();

  constructor({ suppressions, clock }: { readonly suppressions: SuppressionSource; readonly clock: Clock }) {
    this.#suppressions = suppressions;
    this.#clock = clock;
    this.#found = new Coalesced((asked) => suppressionsOf(suppressions, asked));
  }

  /** Notes whether a tenant had any suppressed address in the state that a claim saw. */
  claimed(
    tenant: string,
    { hasSuppressed, askedMs }: Required<Pick<ClaimedDelivery, "hasSuppressed">> & { readonly askedMs: number },
  ): void {
    if (hasSuppressed) {
      this.#hadNoneMs.delete(tenant);
      setNewest(this.#haveSome, [tenant, true], MAX_TENANTS);
    } else if (this.#hadNoneMs.get(tenant) !== askedMs) {
      setNewest(this.#hadNoneMs, [tenant, askedMs], MAX_TENANTS);
    }
  }

  /** Asks about the tenant of a delivery while that is being written, so that its attempt need not wait for the answer after the commit. */
  askAhead({ id, tenant, channel }: Pick<Delivery, "id" | "tenant" | "channel">): void {
    if (channel !== INBOX_CHANNEL && !this.#haveSome.has(tenant)) {
      const some = this.#whichHaveSome(tenant);
      this.#ahead.set(id, { some, askedMs: this.#clock.now() });
      // Its attempt asks again.
      some.catch(() => this.#ahead.delete(id));
    }
  }

  /** Forgets what was asked ahead of a delivery, whose attempt is over. */
  forget({ id }: Pick<Delivery, "id">): void {
    if (this.#ahead.size > 0) {
      this.#ahead.delete(id);
    }
  }

  /** Returns what stands against a delivery to this address, or null. Where its claim tells, there is no promise. */
  ruling(asked: AskedDelivery): MaybePromise<Ruling | null> {
    // A delivery that was not claimed may have been written since.
    const noneMs = asked.hasSuppressed === false ? this.#hadNoneMs.get(asked.tenant) : undefined;
    return noneMs !== undefined && this.#isFresh(noneMs) ? null : this.#ask(asked);
  }

  async #ask({ id, tenant, channel, address }: AskedDelivery): Promise<Ruling | null> {
    if (!this.#haveSome.has(tenant) && !(await (this.#askedAhead(id) ?? this.#whichHaveSome(tenant))).has(tenant)) {
      return null;
    }
    const found = await this.#found.get({ tenant, place: placeOf(channel, address) });
    return found === null ? null : { outcome: "skip", reason: "suppressed", source: "suppressions" };
  }

  /** What was asked for this delivery before it was written, unless that took long. */
  #askedAhead(id: string | undefined): AskedTenants["some"] | undefined {
    const ahead = id === undefined || this.#ahead.size === 0 ? undefined : this.#ahead.get(id);
    return ahead !== undefined && this.#isFresh(ahead.askedMs) ? ahead.some : undefined;
  }

  #isFresh(askedMs: number): boolean {
    return Math.abs(this.#clock.now() - askedMs) < FRESH_MS;
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

/**
 * The addresses that were not suppressed before a change whose answer was lost with the connection. It is repeated, and finds them
 * suppressed if it had been written: by this they are told of all the same.
 */
export class UntoldSuppressions {
  readonly #names = new Map<string, true>();

  has(name: string): boolean {
    return this.#names.has(name);
  }

  add(names: readonly string[]): void {
    for (const name of names) {
      setNewest(this.#names, [name, true], MAX_UNTOLD);
    }
  }

  remove(names: readonly string[]): void {
    for (const name of names) {
      this.#names.delete(name);
    }
  }
}

/** The parts that are asked and told what a change suppressed. */
interface Telling {
  readonly suppressions: SuppressionSource;
  readonly untoldSuppressions: UntoldSuppressions;
  readonly events: Emits<SuppressionEvents>;
  readonly lines: Pick<RepeatedLines, "warn">;
}

/**
 * Runs `change`, and tells the host's listeners which of these addresses it suppressed, each once; also if it is repeated after its answer
 * was lost. Returns its result, and those that are suppressed then; null for those if the storage could not be asked, which fails nothing: the
 * change counts all the same.
 */
export async function tellSuppressed<Result>(
  telling: Telling,
  asked: readonly AskedAddress[],
  change: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly suppressed: readonly Suppression[] | null }> {
  if (asked.length === 0) {
    return { result: await change(), suppressed: [] };
  }
  const { untoldSuppressions: untold, events } = telling;
  const addresses = new Map(asked.map((one) => [`${one.tenant}\u0000${keyOf(one.place)}`, one]));
  const before = await look(telling, [...addresses.values()]);
  const free = [...addresses.keys()].filter((name, index) => before?.[index] === null || untold.has(name));
  let result: Result;
  try {
    result = await change();
  } catch (error) {
    if (isRetryable(error)) {
      untold.add(free);
    }
    throw error;
  }
  untold.remove(free);
  const after = await look(telling, [...addresses.values()]);
  for (const [index, [name, { tenant }]] of [...addresses].entries()) {
    const suppression = after?.[index] ?? null;
    if (suppression !== null && free.includes(name)) {
      events.emit("address.suppressed", { ...suppression, tenant });
    }
  }
  return { result, suppressed: after?.flatMap((one) => one ?? []) ?? null };
}

/** The suppressions of these addresses; null if the storage could not be asked, not even over another connection. */
async function look({ suppressions, lines }: Telling, addresses: readonly AskedAddress[]): Promise<readonly (Suppression | null)[] | null> {
  try {
    return await suppressionsOf(suppressions, addresses).catch(() => suppressionsOf(suppressions, addresses));
  } catch (error) {
    lines.warn({ error }, "Belfry could not see which addresses were suppressed; the event address.suppressed may be missing.");
    return null;
  }
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
