import { randomUUID } from "node:crypto";
import { type Logger, systemClock } from "@belfry/core";
import type { SocketCounts } from "@belfry/core/http";
import { Loop, type NextRun } from "@belfry/core/storage";
import type { RedisClient } from "./redis-source.ts";
import { hashed, inParts, Stays } from "./stays.ts";

const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** How long Redis knows of a key at the most without hearing of it again. */
const KEPT_S = 48 * 60 * 60;
/** A socket waits so long for what Redis knows, and is counted with those of this process alone then. */
const WAIT_MS = 500;
/** If Redis does not know of more, this process takes another number, and tells of what is open then. */
const MAX_UNTOLD = 10_000;
/** So many other counters are remembered. */
const MAX_KNOWN = 1_000;
/** For how long a counter of which Redis had a lease counts without being asked for again. */
const KNOWN_MS = 5_000;

/** The parts of {@link RedisSocketCounts}. */
export interface SocketCountsOptions {
  readonly client: RedisClient;
  readonly prefix: string;
  readonly logger: Logger;
}

/**
 * How many sockets each process has open for a key, in Redis: one hash for each key, with a field for each process, which counts as long as the
 * process's lease runs. What Redis has forgotten is told again with the next lease.
 */
export class RedisSocketCounts implements SocketCounts {
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #stays: Stays;
  readonly #name = randomUUID().slice(0, 13);
  /** What this process has open. */
  readonly #open = new Map<string, number>();
  /** Until when others count that had a lease, by this process's own time: clocks of others may be wrong. */
  readonly #knownUntilMs = new Map<string, number>();
  readonly #renewal: Loop;
  /** The keys of which Redis may not know what is open here. */
  readonly #untold = new Set<string>();
  /** The first lease since there is anything to count. */
  #leased: Promise<void> | null = null;

  constructor({ client, prefix, logger }: SocketCountsOptions) {
    this.#client = client;
    this.#prefix = `${prefix}:sockets`;
    this.#stays = new Stays(client, this.#prefix);
    const task = "keep its count of sockets in Redis";
    this.#renewal = new Loop({ task, run: () => this.#renew(), level: "debug", clock: systemClock, logger });
    // It may be another server now, or an empty one.
    client.on("ready", () => this.#renewal.wake());
  }

  note(key: string, open: number): Promise<number> {
    this.#doubt(key);
    if (open > 0) {
      this.#open.set(key, open);
      this.#renewal.wakeIn(RENEW_MS);
    } else {
      this.#open.delete(key);
    }
    const { promise: late, resolve } = Promise.withResolvers<number>();
    const forget = systemClock.after(WAIT_MS, () => resolve(0));
    return Promise.race([this.#note(key), late]).finally(forget);
  }

  /** Goes on after a stop. */
  start(): void {
    this.#renewal.start();
    this.#renewal.wake();
  }

  /** Has Redis forget what this process has open. */
  async stop(): Promise<void> {
    await this.#renewal.stop();
    if (this.#leased === null) {
      return;
    }
    this.#leased = null;
    const field = this.#stays.of(this.#name);
    // Others may go on counting for some seconds what they know to have had a lease, so the lease alone is not enough.
    const removed = inParts([...this.#open.keys()], (key) => this.#client.hdel(this.#keyOf(key), field));
    await Promise.all([this.#stays.leave(this.#name), removed]);
  }

  /** Tells Redis how many are open here. How many others have; 0 if it cannot be reached. */
  async #note(key: string): Promise<number> {
    if (this.#renewal.isStopping) {
      // Sockets that end with the process would take another lease.
      return 0;
    }
    try {
      if (this.#open.has(key)) {
        this.#leased ??= this.#lease();
        await this.#leased;
      }
      const [, counts] = await Promise.all([this.#tell(key), this.#client.hgetall(this.#keyOf(key))]);
      return await this.#sumOf(key, counts);
    } catch {
      // The connection tells of itself. Each process counts its own now.
      return 0;
    }
  }

  async #tell(key: string): Promise<void> {
    const [hash, field, open] = [this.#keyOf(key), this.#stays.of(this.#name), this.#open.get(key)];
    // Before the command: an earlier one that succeeds says nothing of a later one that is lost.
    this.#untold.delete(key);
    try {
      await (open === undefined
        ? this.#client.hdel(hash, field)
        : Promise.all([this.#client.hset(hash, field, open), this.#client.expire(hash, KEPT_S)]));
    } catch (error) {
      this.#doubt(key);
      this.#renewal.wakeIn(RENEW_MS);
      throw error;
    }
  }

  /** Redis may not know what is open here for a key. */
  #doubt(key: string): void {
    if (this.#untold.size <= MAX_UNTOLD) {
      this.#untold.add(key);
    }
  }

  /** Adds up what living others have open, and removes what the others had. */
  async #sumOf(key: string, counts: Readonly<Record<string, string>>): Promise<number> {
    const others = Object.keys(counts).filter((stay) => !stay.startsWith(`${this.#name}#`));
    const nowMs = performance.now();
    const known = new Set(others.filter((stay) => (this.#knownUntilMs.get(stay) ?? 0) > nowMs));
    const leases = await this.#stays.read(others.filter((stay) => !known.has(stay)));
    const ended = [...leases].flatMap(([stay, lease]) => (lease === null ? [stay] : []));
    if (ended.length > 0) {
      await this.#client.hdel(this.#keyOf(key), ...ended);
    }
    if (this.#knownUntilMs.size > MAX_KNOWN) {
      this.#knownUntilMs.clear();
    }
    for (const [stay, lease] of leases) {
      this.#knownUntilMs.set(stay, lease === null ? 0 : nowMs + KNOWN_MS);
    }
    const counted = others.filter((stay) => known.has(stay) || (leases.get(stay) ?? null) !== null);
    return counted.reduce((sum, stay) => sum + Number(counts[stay]), 0);
  }

  async #renew(): Promise<NextRun> {
    if (this.#open.size === 0 && this.#untold.size === 0) {
      this.#leased = null;
      return null;
    }
    await this.#lease();
    await inParts([...this.#untold], (key) => this.#tell(key));
    return RENEW_MS;
  }

  async #lease(): Promise<void> {
    try {
      if (this.#untold.size > MAX_UNTOLD) {
        this.#untold.clear();
        await this.#stays.leave(this.#name);
      }
      if (!(await this.#stays.renew(this.#name, LEASE_MS))) {
        // Whatever Redis knew of before counts no more.
        for (const key of this.#open.keys()) {
          this.#untold.add(key);
        }
      }
    } catch (error) {
      this.#leased = null;
      throw error;
    }
  }

  #keyOf(key: string): string {
    return `${this.#prefix}:of:${hashed(key)}`;
  }
}
