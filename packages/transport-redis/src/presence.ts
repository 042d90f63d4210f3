import type { Owner } from "@belfry/core";
import type { HoldingInstance, PresenceChange, PresenceStorage } from "@belfry/core/storage";
import type { Redis } from "ioredis";
import type { RedisClient } from "./redis-source.ts";
import { hashed, inParts, Stays } from "./stays.ts";

/** How long Redis knows of a user at the most without hearing of them again. */
const KEPT_S = 48 * 60 * 60;
/** How often an instance tells of all its users. */
const TOLD_MS = 10 * 60 * 1_000;

/**
 * Who is connected to which instance, in Redis. Each instance has a lease, and each user a key that names their instances. What cannot be told is
 * told again by the instance; what cannot be read counts as nobody.
 */
export class RedisPresence implements PresenceStorage {
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #stays: Stays;
  #toldMs = 0;
  /** Whether Redis may have forgotten users whom it was told of. */
  #mayMiss = false;

  constructor(client: RedisClient, prefix: string) {
    this.#client = client;
    this.#prefix = `${prefix}:presence`;
    this.#stays = new Stays(client, this.#prefix);
    const doubt = () => {
      this.#mayMiss = true;
    };
    // It may be another server now, or an empty one.
    client.on("ready", doubt);
    client.on("+node", (node: Redis) => node.once("ready", doubt));
  }

  async announce(instance: string, { joined, left }: PresenceChange, leaseMs: number): Promise<boolean> {
    await this.#lease(instance, leaseMs);
    const stay = this.#stays.of(instance);
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

  leave(instance: string): Promise<void> {
    return this.#stays.leave(instance);
  }

  /** What cannot be read counts as nobody. Who may be away is reached by other channels: one message too many, and none too few. */
  async holding(owners: readonly Owner[]): Promise<readonly (readonly HoldingInstance[])[]> {
    const read = await Promise.allSettled(owners.map((owner) => this.#client.hkeys(this.#userKey(owner))));
    const staysOf = read.map((one) => (one.status === "fulfilled" ? one.value : []));
    const leases = await this.#stays.read([...new Set(staysOf.flat())]);
    const hasEnded = (stay: string) => leases.get(stay) === null;
    await Promise.allSettled(staysOf.map((stays, at) => this.#forget(owners[at], stays.filter(hasEnded))));
    return staysOf.map((stays) => stays.flatMap((stay) => leases.get(stay) ?? []));
  }

  /** Removes stays whose lease has ended: no instance takes one up again. */
  async #forget(owner: Owner | undefined, ended: readonly string[]): Promise<void> {
    if (owner !== undefined && ended.length > 0) {
      await this.#client.hdel(this.#userKey(owner), ...ended);
    }
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

  async #lease(instance: string, leaseMs: number): Promise<void> {
    try {
      const wasLeased = await this.#stays.renew(instance, leaseMs);
      this.#mayMiss ||= !wasLeased;
    } catch (error) {
      // It may have been taken all the same.
      this.#mayMiss = true;
      throw error;
    }
  }

  #userKey({ tenant, userId }: Owner): string {
    return `${this.#prefix}:user:${hashed(`${tenant}\u0000${userId}`)}`;
  }
}
