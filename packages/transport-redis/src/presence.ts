import { createHash } from "node:crypto";
import type { Owner } from "@belfry/core";
import type { HoldingInstance, PresenceChange, PresenceStorage } from "@belfry/core/storage";
import type { Redis } from "ioredis";
import type { RedisClient } from "./redis-source.ts";

/** How long Redis knows of a user at the most without hearing of them again. */
const KEPT_S = 48 * 60 * 60;
/** How often an instance tells of all its users. */
const TOLD_MS = 10 * 60 * 1_000;

/** So many commands are on their way at once. */
const AT_ONCE = 500;

/**
 * Who is connected to which instance, in Redis. Each instance has a key that expires with its lease, and each user one that names their
 * instances. What cannot be told is told again by the instance; what cannot be read counts as nobody.
 */
export class RedisPresence implements PresenceStorage {
  readonly #client: RedisClient;
  readonly #prefix: string;
  /** Grows when this process leaves or loses its lease: what users' keys say of it before counts no more. */
  #stay = 0;
  #toldMs = 0;
  /** Whether Redis may have forgotten users whom it was told of. */
  #mayMiss = false;
  #leasedUntilMs = 0;

  constructor(client: RedisClient, prefix: string) {
    this.#client = client;
    this.#prefix = `${prefix}:presence`;
    const doubt = () => {
      this.#mayMiss = true;
    };
    // It may be another server now, or an empty one.
    client.on("ready", doubt);
    client.on("+node", (node: Redis) => node.once("ready", doubt));
  }

  async announce(instance: string, { joined, left }: PresenceChange, leaseMs: number): Promise<boolean> {
    await this.#lease(instance, leaseMs);
    const stay = this.#stayOf(instance);
    await inParts(joined, async (owner) => {
      const key = this.#userKey(owner);
      await Promise.all([this.#client.hset(key, stay, ""), this.#client.expire(key, KEPT_S)]);
    });
    await inParts(left, (owner) => this.#client.hdel(this.#userKey(owner), stay));
    return this.#knowsAll();
  }

  async renew(instance: string, leaseMs: number): Promise<boolean> {
    await this.#lease(instance, leaseMs);
    return this.#knowsAll();
  }

  async leave(instance: string): Promise<void> {
    const stay = this.#stayOf(instance);
    this.#stay += 1;
    await this.#client.del(this.#leaseKey(stay));
  }

  /** What cannot be read counts as nobody. Who may be away is reached by other channels: one message too many, and none too few. */
  async holding(owners: readonly Owner[]): Promise<readonly (readonly HoldingInstance[])[]> {
    const read = await Promise.allSettled(owners.map((owner) => this.#client.hkeys(this.#userKey(owner))));
    const stays = read.map((one) => (one.status === "fulfilled" ? one.value : []));
    const leases = await this.#leasesOf(new Set(stays.flat()));
    await Promise.allSettled(
      owners.map((owner, at) =>
        this.#forget(
          owner,
          (stays[at] ?? []).filter((stay) => leases.get(stay) === null),
        ),
      ),
    );
    return stays.map((ofUser) => ofUser.flatMap((stay) => leases.get(stay) ?? []));
  }

  /** Removes stays whose lease has ended: no instance takes one up again. */
  async #forget(owner: Owner, ended: readonly string[]): Promise<void> {
    if (ended.length > 0) {
      await this.#client.hdel(this.#userKey(owner), ...ended);
    }
  }

  /** The instances of stays, null for one whose lease has ended; what cannot be read is not among them. */
  async #leasesOf(stays: ReadonlySet<string>): Promise<ReadonlyMap<string, HoldingInstance | null>> {
    const all = [...stays];
    const found = new Map<string, HoldingInstance | null>();
    for (let at = 0; at < all.length; at += AT_ONCE) {
      const part = all.slice(at, at + AT_ONCE);
      const read = await Promise.allSettled(part.map((stay) => this.#client.get(this.#leaseKey(stay))));
      for (const [index, stay] of part.entries()) {
        const until = read[index];
        if (until?.status === "fulfilled") {
          const instance = stay.slice(0, stay.lastIndexOf("#"));
          found.set(stay, until.value === null ? null : { instance, leasedUntilMs: Number(until.value) });
        }
      }
    }
    return found;
  }

  /** Whether Redis knows all users of this process; whoever asked tells of all of them if not. */
  #knowsAll(): boolean {
    const knowsAll = !this.#mayMiss && Math.abs(Date.now() - this.#toldMs) < TOLD_MS;
    if (!knowsAll) {
      this.#mayMiss = false;
      this.#toldMs = Date.now();
    }
    return knowsAll;
  }

  /** Renews the lease of an instance, or takes one under another number if it had none. */
  async #lease(instance: string, leaseMs: number): Promise<void> {
    try {
      const renewed = await this.#client.set(...this.#leaseOf(instance, leaseMs), "PX", leaseMs, "XX", "GET");
      if (renewed === null) {
        this.#mayMiss = true;
        // Keys of users who left meanwhile may still name the stay before.
        this.#stay += 1;
        await this.#client.set(...this.#leaseOf(instance, leaseMs), "PX", leaseMs);
      }
    } catch (error) {
      this.#mayMiss = true;
      throw error;
    }
  }

  #leaseOf(instance: string, leaseMs: number): [key: string, untilMs: number] {
    // Whoever asked for a renewal knows it by another number.
    this.#leasedUntilMs = Math.max(this.#leasedUntilMs + 1, Date.now() + leaseMs);
    return [this.#leaseKey(this.#stayOf(instance)), this.#leasedUntilMs];
  }

  #stayOf(instance: string): string {
    return `${instance}#${this.#stay}`;
  }

  #leaseKey(stay: string): string {
    return `${this.#prefix}:instance:${stay}`;
  }

  /** A hash of who it is: names may be long, and are nobody's business in Redis. */
  #userKey({ tenant, userId }: Owner): string {
    const name = createHash("sha256").update(`${tenant}\u0000${userId}`).digest("base64url").slice(0, 32);
    return `${this.#prefix}:user:${name}`;
  }
}

/** Does something for each of a list, some at a time. */
async function inParts<One>(all: readonly One[], does: (one: One) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < all.length; at += AT_ONCE) {
    await Promise.all(all.slice(at, at + AT_ONCE).map(does));
  }
}
