import { createHash } from "node:crypto";
import type { HoldingInstance } from "@belfry/core/storage";
import type { RedisClient } from "./redis-source.ts";

/** So many commands are on their way at once. */
const AT_ONCE = 500;

/**
 * Says in Redis which instances live: each has a key that expires with its lease. An instance that had none, or lost it, gets another number, so
 * that what other keys say of it from before counts no more.
 */
export class Stays {
  readonly #client: RedisClient;
  readonly #prefix: string;
  #stay = 0;
  #leasedUntilMs = 0;

  constructor(client: RedisClient, prefix: string) {
    this.#client = client;
    this.#prefix = `${prefix}:instance`;
  }

  /** What an instance of this process is called at this moment. */
  of(instance: string): string {
    return `${instance}#${this.#stay}`;
  }

  /** Renews the lease of an instance, or takes one under another number. Whether it had one. */
  async renew(instance: string, leaseMs: number): Promise<boolean> {
    const renewed = await this.#client.set(...this.#leaseOf(instance, leaseMs), "PX", leaseMs, "XX", "GET");
    if (renewed === null) {
      this.#stay += 1;
      await this.#client.set(...this.#leaseOf(instance, leaseMs), "PX", leaseMs);
    }
    return renewed !== null;
  }

  async leave(instance: string): Promise<void> {
    const stay = this.of(instance);
    this.#stay += 1;
    await this.#client.del(this.#keyOf(stay));
  }

  /** The instances of stays, null for one whose lease has ended; what cannot be read is not among them. */
  async read(stays: readonly string[]): Promise<ReadonlyMap<string, HoldingInstance | null>> {
    const found = new Map<string, HoldingInstance | null>();
    await inParts(stays, async (stay) => {
      const [until] = await Promise.allSettled([this.#client.get(this.#keyOf(stay))]);
      if (until.status === "fulfilled") {
        const instance = stay.slice(0, stay.lastIndexOf("#"));
        found.set(stay, until.value === null ? null : { instance, leasedUntilMs: Number(until.value) });
      }
    });
    return found;
  }

  #leaseOf(instance: string, leaseMs: number): [key: string, untilMs: number] {
    // Whoever asked for a renewal knows it by another number.
    this.#leasedUntilMs = Math.max(this.#leasedUntilMs + 1, Date.now() + leaseMs);
    return [this.#keyOf(this.of(instance)), this.#leasedUntilMs];
  }

  #keyOf(stay: string): string {
    return `${this.#prefix}:${stay}`;
  }
}

/** A part of a key that stands for a text: names may be long, and are nobody's business in Redis. */
export function hashed(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 32);
}

/** Does something for each of a list, some at a time. */
export async function inParts<One>(all: readonly One[], does: (one: One) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < all.length; at += AT_ONCE) {
    await Promise.all(all.slice(at, at + AT_ONCE).map(does));
  }
}
