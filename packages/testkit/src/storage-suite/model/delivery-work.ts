import { type ClaimedDelivery, type DeliveryStorage, type EndedAttempt, endWaits, type Lease } from "@belfry/core/storage";
import { expect } from "vitest";
import type { Fixture } from "../fixture.ts";
import { endAttemptsOf, endLostOf, leasesOf, withoutKeys } from "./delivery-leases.ts";
import { chainsOf, claimedOf, type DeliveryModel } from "./delivery-model.ts";
import { type DeliveryOperation, type Ending, SEND_CHANNELS, SEND_USERS, WORKERS } from "./delivery-operations.ts";
import { endAttempt, endLost, endWait, lease, MAX_ATTEMPTS } from "./delivery-rules.ts";
import { expectClaim, expectFirst } from "./expect-first.ts";
import { choose, expectSame } from "./same.ts";

/** The longest lease that an operation asks for. */
const LEASE_MS = 60_000;

/** The operations of workers. */
type Work = Extract<DeliveryOperation, { readonly do: "claim" | "end" | "renew" | "endLost" | "endWaits" }>;

/** An operation of one kind. */
type Step<Kind extends Work["do"]> = Extract<Work, { readonly do: Kind }>;

/** The part of a run that workers do: they claim, end attempts, renew leases, take them back and end waits. */
export class DeliveryWork {
  readonly #fixture: Fixture;
  readonly #model: DeliveryModel;
  readonly #tenants: readonly string[];
  /** Every lease that was ever given, the latest first. */
  readonly #leases: Lease[] = [];
  /** The latest of what claims handed out, by delivery. */
  readonly #claimed = new Map<string, ClaimedDelivery>();
  #nowMs = 0;

  constructor(fixture: Fixture, model: DeliveryModel, tenants: readonly string[]) {
    this.#fixture = fixture;
    this.#model = model;
    this.#tenants = tenants;
  }

  async apply(operation: Work, nowMs: number): Promise<void> {
    this.#nowMs = nowMs;
    switch (operation.do) {
      case "claim":
        return this.#claim(operation);
      case "end":
        return this.#end(operation);
      case "renew":
        return this.#renew(operation);
      case "endLost":
        return this.#endLost(operation);
      case "endWaits":
        return this.#endWaits(operation);
    }
  }

  get #now(): Date {
    return new Date(this.#nowMs);
  }

  get #storage(): DeliveryStorage {
    return this.#fixture.storage.deliveries;
  }

  async #claim(operation: Step<"claim">): Promise<void> {
    const owner = WORKERS[operation.worker] ?? "";
    const { leaseMs, limit, perEndpoint, exceptTenant, exceptUser } = operation;
    const request = {
      ...{ owner, at: this.#now, leaseMs, limit, perEndpoint },
      channels: operation.channels.map((index) => SEND_CHANNELS[index] ?? ""),
      exceptTenants: exceptTenant === null ? [] : [this.#tenants[exceptTenant] ?? ""],
      exceptEndpoints: exceptUser === null ? [] : [{ channel: "inbox", recipient: SEND_USERS[exceptUser] ?? "" }],
    };
    const due = this.#model.deliveries.filter(
      ({ status, leaseOwner, dueAt, channel, tenant, recipient }) =>
        status === "pending" &&
        leaseOwner === null &&
        dueAt !== null &&
        dueAt.getTime() <= this.#nowMs &&
        request.channels.includes(channel) &&
        !request.exceptTenants.includes(tenant) &&
        !request.exceptEndpoints.some((endpoint) => endpoint.channel === channel && endpoint.recipient === recipient),
    );
    const claimed = await leasesOf(this.#storage).claim(request);
    const taken = claimed.map(({ delivery }) => this.#model.deliveries.find(({ id }) => id === delivery.id));
    expectClaim(taken, due, { limit, perEndpoint });
    const expected = taken.flatMap((delivery): readonly ClaimedDelivery[] => {
      if (!delivery) {
        return [];
      }
      lease(delivery, { owner, until: new Date(this.#nowMs + leaseMs) });
      this.#leases.unshift({ id: delivery.id, fence: delivery.fence });
      return [claimedOf(this.#model.sendOf(delivery), delivery)];
    });
    expectSame(withoutKeys(claimed), expected);
    for (const one of claimed) {
      this.#claimed.set(one.delivery.id, one);
    }
  }

  async #end({ worker, endings }: Step<"end">): Promise<void> {
    const owner = WORKERS[worker] ?? "";
    const ended = endings.flatMap((ending) => this.#ended(ending) ?? []);
    const attempts = [...new Map(ended.map((one) => [one.deliveryId, one])).values()];
    const only = attempts.flatMap(({ deliveryId, fence }) => {
      const claimed = this.#claimed.get(deliveryId);
      // As a worker knows it that takes the lease for its own: it is the storage that has to refuse what is not.
      return claimed?.isOnly ? [{ ...claimed, delivery: { ...claimed.delivery, leaseOwner: owner, fence } }] : [];
    });
    const accepted = await endAttemptsOf(this.#storage, { owner, at: this.#now, attempts, only });
    // Of one chain, the fallbacks' attempts end first: the primary delivery then decides about them.
    const isPrimary = (id: string) => Number(this.#model.deliveries.find((one) => one.id === id)?.isFallback === false);
    const inOrder = attempts.toSorted((left, right) => isPrimary(left.deliveryId) - isPrimary(right.deliveryId));
    const expected = inOrder.filter((one) => endAttempt(this.#model, one, { owner, now: this.#now }));
    expect(accepted.toSorted()).toEqual(expected.map(({ deliveryId }) => deliveryId).toSorted());
  }

  #ended({ lease, isStale, outcome, retryInMs }: Ending): EndedAttempt | null {
    const given = this.#named(lease, isStale);
    if (!given) {
      return null;
    }
    const base = {
      deliveryId: given.id,
      fence: given.fence,
      startedAt: new Date(this.#nowMs - 300),
      finishedAt: new Date(this.#nowMs - 100),
      reason: null,
      wasHandedIn: outcome !== "offline",
      retryInMs: null,
    };
    if (outcome === "sent" || outcome === "delivered") {
      return { ...base, outcome: { status: outcome, provider: "p", response: "250 ok", messageId: "m", note: "n" } };
    }
    const transient = outcome === "transient";
    return {
      ...base,
      outcome: { status: "failed", provider: "p", response: "550 no", error: "e", transient },
      reason: outcome === "offline" ? "offline" : null,
      retryInMs: transient ? retryInMs : null,
    };
  }

  /** A lease that was given; or, stale, the one before it of the same task. */
  #named(index: number, isStale: boolean): Lease | undefined {
    const given = choose(this.#leases, index);
    return given && isStale ? { ...given, fence: given.fence - 1 } : given;
  }

  async #renew({ worker, leases, leaseMs, isStale }: Step<"renew">): Promise<void> {
    const owner = WORKERS[worker] ?? "";
    const named = [...new Map(leases.flatMap((index) => this.#named(index, isStale) ?? []).map((one) => [one.id, one])).values()];
    const held = await leasesOf(this.#storage).renew(owner, named, { at: this.#now, leaseMs });
    const expected = named.filter(({ id: leased, fence }) => {
      const delivery = this.#model.deliveries.find(({ id }) => id === leased);
      const isHeld = delivery?.leaseOwner === owner && delivery.fence === fence;
      if (isHeld) {
        delivery.leaseUntil = new Date(this.#nowMs + leaseMs);
      }
      return isHeld;
    });
    const ids = (ofThese: readonly Lease[]) => ofThese.map(({ id }) => id).toSorted();
    expect(ids(held)).toEqual(ids(expected));
  }

  async #endLost({ notOwnedBy, limit }: Step<"endLost">): Promise<void> {
    const others = notOwnedBy === null ? {} : { notOwnedBy: WORKERS[notOwnedBy] ?? "" };
    const request = { at: this.#now, limit, leaseMs: LEASE_MS, maxAttempts: MAX_ATTEMPTS, ...others };
    const taken = await endLostOf(this.#storage, request);
    const leased = this.#model.deliveries.flatMap((delivery) =>
      delivery.leaseUntil === null ? [] : [{ delivery, atMs: delivery.leaseUntil.getTime() }],
    );
    const isLost = ({ delivery, atMs }: (typeof leased)[number]) =>
      atMs <= this.#nowMs ||
      atMs > this.#nowMs + LEASE_MS ||
      (others.notOwnedBy !== undefined && delivery.leaseOwner !== others.notOwnedBy);
    expectFirst(
      taken,
      leased.filter(isLost).map(({ delivery, atMs }) => ({ id: delivery.id, atMs })),
      limit,
    );
    const lost = leased.filter(({ delivery }) => taken.includes(delivery.id)).map(({ delivery }) => delivery);
    for (const delivery of lost.toSorted((left, right) => Number(right.isFallback) - Number(left.isFallback))) {
      endLost(this.#model, delivery, { now: this.#now, leaseMs: LEASE_MS });
    }
  }

  async #endWaits({ limit }: Step<"endWaits">): Promise<void> {
    const waiting = this.#model.deliveries.flatMap(({ id, status, dueAt }) =>
      status === "waiting" && dueAt !== null && dueAt.getTime() <= this.#nowMs ? [{ id, atMs: dueAt.getTime() }] : [],
    );
    let ids: readonly string[] = [];
    await this.#storage.settle({ kind: "waiting", limit }, this.#now, (loaded, now) => {
      ids = loaded.flatMap(({ chains }) => chains.flat().map(({ id }) => id));
      return endWaits(loaded, now).changes;
    });
    expectFirst(
      waiting.filter(({ id }) => ids.includes(id)).map(({ id }) => id),
      waiting,
      limit,
    );
    for (const chain of this.#model.sends.flatMap(chainsOf).filter(([primary]) => ids.includes(primary?.id ?? ""))) {
      endWait(this.#model, chain, this.#now);
    }
  }
}
