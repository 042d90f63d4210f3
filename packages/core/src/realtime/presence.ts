import type { Clock } from "../foundation/clock.ts";
import type { Owner } from "../foundation/context.ts";
import type { Logger } from "../foundation/logger.ts";
import { Coalesced } from "../work/coalesced.ts";
import { Loop, type NextRun } from "../work/loop.ts";

/**
 * Stores who has an open socket or stream, over all instances. Rows are leased, so the rows of a killed instance expire. A
 * storage for a single process does not need it, because the process knows.
 */
export interface PresenceStorage {
  /** Says that users came to or left this instance. */
  announce(
    instance: string,
    change: { readonly joined: readonly Owner[]; readonly left: readonly Owner[] },
    leaseMs: number,
  ): Promise<void>;
  /** Prolongs everything this instance announced. */
  renew(instance: string, leaseMs: number): Promise<void>;
  /** Takes back everything this instance announced. */
  leave(instance: string): Promise<void>;
  /** Returns whether each user is connected to any instance, in the order of `owners`. */
  online(owners: readonly Owner[]): Promise<readonly boolean[]>;
}

const LEASE_MS = 90_000;
const RENEW_MS = 30_000;

/** The parts that presence uses. */
export interface PresenceOptions {
  /** The presence of other processes; undefined if there are none. */
  readonly storage: PresenceStorage | undefined;
  /** Names this process. */
  readonly instance: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resolves once the storage can be used. */
  ready(): Promise<unknown>;
}

/** Knows which users have an open socket or stream, here or on another instance. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #here = new Map<string, Owner>();
  /** The changes that the storage does not have yet: `isHere` is true for users who came, false for users who left. */
  #untold = new Map<string, { readonly owner: Owner; readonly isHere: boolean }>();
  readonly #telling: Loop;
  readonly #renewal: Loop;
  /** Whether the storage was told of anybody since the last {@link stop}. */
  #hasTold = false;
  readonly #elsewhere: Coalesced<Owner, boolean>;

  constructor(options: PresenceOptions) {
    this.#options = options;
    const { clock, logger } = options;
    const shared = { level: "warn", clock, logger } as const;
    this.#telling = new Loop({ ...shared, task: "say who is connected here", run: () => this.#tellAll() });
    this.#renewal = new Loop({ ...shared, task: "renew who is connected here", run: () => this.#renew() });
    this.#elsewhere = new Coalesced((owners) => options.storage?.online(owners) ?? Promise.resolve(owners.map(() => false)));
  }

  /** A user's first socket or stream of this process was opened. */
  joined(owner: Owner): void {
    this.#here.set(keyOf(owner), owner);
    this.#tell(owner, true);
  }

  /** A user's last one was closed. */
  left(owner: Owner): void {
    this.#here.delete(keyOf(owner));
    this.#tell(owner, false);
  }

  /** Whether the user is connected to any instance. */
  async isOnline(owner: Owner): Promise<boolean> {
    return this.#here.has(keyOf(owner)) || (this.#options.storage !== undefined && this.#elsewhere.get(owner));
  }

  /** Says again who is connected here, after {@link stop}. */
  start(): void {
    this.#telling.start();
    this.#renewal.start();
    for (const owner of this.#here.values()) {
      this.#tell(owner, true);
    }
  }

  /** Removes this process's presence before the storage closes. */
  async stop(): Promise<void> {
    await Promise.all([this.#telling.stop(), this.#renewal.stop()]);
    this.#untold.clear();
    const { storage, instance, logger } = this.#options;
    if (storage && this.#hasTold) {
      this.#hasTold = false;
      await storage.leave(instance).catch((error: unknown) => {
        logger.warn({ error }, "Belfry could not say that this instance stops; its users are taken for connected until the lease ends.");
      });
    }
  }

  #tell(owner: Owner, isHere: boolean): void {
    // What comes during a stop is told at the next start.
    if (this.#options.storage !== undefined && !this.#telling.isStopping) {
      this.#untold.set(keyOf(owner), { owner, isHere });
      this.#telling.wake();
      this.#renewal.wakeIn(RENEW_MS);
    }
  }

  async #tellAll(): Promise<NextRun> {
    const { storage, instance, ready } = this.#options;
    const untold = this.#untold;
    this.#untold = new Map();
    if (untold.size > 0) {
      const ownersWhere = (isHere: boolean) => [...untold.values()].filter((one) => one.isHere === isHere).map(({ owner }) => owner);
      try {
        await ready();
        this.#hasTold = true;
        await storage?.announce(instance, { joined: ownersWhere(true), left: ownersWhere(false) }, LEASE_MS);
      } catch (error) {
        // What came later counts.
        this.#untold = new Map([...untold, ...this.#untold]);
        throw error;
      }
    }
    return null;
  }

  async #renew(): Promise<NextRun> {
    const { storage, instance, ready } = this.#options;
    if (this.#here.size === 0) {
      return null;
    }
    await ready();
    await storage?.renew(instance, LEASE_MS);
    return RENEW_MS;
  }
}

function keyOf({ tenant, userId }: Owner): string {
  // A NUL cannot be part of either.
  return `${tenant}\u0000${userId}`;
}
