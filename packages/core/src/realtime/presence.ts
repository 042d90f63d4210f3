import type { Owner, WorkContext } from "../foundation/context.ts";
import { Coalesced } from "../work/batch-queue.ts";
import { Loop, type NextRun } from "../work/loop.ts";
import { awhile } from "../work/timing.ts";
import { feedName } from "./feed-name.ts";

/** Users who came to an instance, and users who left it. */
export interface PresenceChange {
  readonly joined: readonly Owner[];
  readonly left: readonly Owner[];
}

/** A living instance that a user is connected to. */
export interface HoldingInstance {
  readonly instance: string;
  /** Grows with each renewal of the instance's lease; null for an instance that does not say when it renews. */
  readonly leasedUntilMs: number | null;
}

/**
 * Stores who has an open socket or stream, over all instances. Each instance has one lease, however many users it holds; they
 * are forgotten with it, so a killed instance holds nobody once its lease has ended. A storage for a single process does not
 * need it, because the process knows.
 */
export interface PresenceStorage {
  /**
   * Takes or renews the lease of an instance, and stores who came and who left. Resolves to whether the instance had a lease
   * before; if not, the storage knows nobody but those who came now.
   */
  announce(instance: string, change: PresenceChange, leaseMs: number): Promise<boolean>;
  /** Renews the lease of an instance, and forgets instances whose lease has ended. Resolves as {@link announce} does. */
  renew(instance: string, leaseMs: number): Promise<boolean>;
  /** Forgets an instance and its users. */
  leave(instance: string): Promise<void>;
  /** Returns the living instances that each user is connected to, in the order of `owners`. */
  holding(owners: readonly Owner[]): Promise<readonly (readonly HoldingInstance[])[]>;
}

const LEASE_MS = 10_000;
const RENEW_MS = 3_000;

/** An instance that was asked answers within a round trip. Belfry looks after 10 ms, then at growing intervals. */
const FIRST_LOOK_MS = 10;
const MAX_LOOK_MS = 500;

/** The parts that presence uses. */
export interface PresenceOptions extends WorkContext {
  /** The presence of other processes; undefined if there are none. */
  readonly storage: PresenceStorage | undefined;
  /** How it is logged that the storage fails: `debug` for one that says so itself. */
  readonly level: "warn" | "debug";
  /** Names this process. */
  readonly instance: string;
  /** Asks the other instances to renew their leases now. */
  ask(): void;
}

/**
 * Knows which users have an open socket or stream, here or on another instance. Another instance may have been killed a moment
 * ago, so it counts only if it renews its lease after it was asked; until it does, or its lease ends, nobody knows.
 */
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
    const { level, clock, logger } = options;
    const shared = { level, clock, logger };
    this.#telling = new Loop({ ...shared, task: "say who is connected here", run: () => this.#tellAll() });
    this.#renewal = new Loop({ ...shared, task: "renew who is connected here", run: () => this.#renew() });
    this.#elsewhere = new Coalesced((owners) => this.#lookElsewhere(owners));
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

  /** Another instance wants to know whether this one lives. */
  asked(by: string): void {
    if (by !== this.#options.instance) {
      this.#renewal.wake();
    }
  }

  /** Says again who is connected here, after {@link stop}. */
  start(): void {
    this.#telling.start();
    this.#renewal.start();
    this.#tellOfAll();
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

  async #lookElsewhere(owners: readonly Owner[]): Promise<readonly boolean[]> {
    const { storage, instance, clock, ask } = this.#options;
    const look = async () => {
      const held = (await storage?.holding(owners)) ?? owners.map(() => []);
      return held.map((instances) => instances.filter((one) => one.instance !== instance));
    };
    const first = await look();
    let present = first;
    const isOnline = () => present.map((instances, at) => wasRenewed(instances, first[at] ?? []));
    if (isOnline().includes(null)) {
      ask();
    }
    for (let delayMs = FIRST_LOOK_MS; isOnline().includes(null); delayMs = Math.min(2 * delayMs, MAX_LOOK_MS)) {
      await awhile(clock, delayMs).over;
      present = await look();
    }
    return isOnline().map((isConnected) => isConnected === true);
  }

  #tellOfAll(): void {
    for (const owner of this.#here.values()) {
      this.#tell(owner, true);
    }
  }

  #tell(owner: Owner, isHere: boolean): void {
    // The next start tells of those who come or go during a stop.
    if (this.#options.storage !== undefined && !this.#telling.isStopping) {
      this.#untold.set(keyOf(owner), { owner, isHere });
      this.#telling.wake();
      this.#renewal.wakeIn(RENEW_MS);
    }
  }

  async #tellAll(): Promise<NextRun> {
    const { storage, instance, ready } = this.#options;
    const untold = this.#untold;
    if (untold.size === 0) {
      return null;
    }
    this.#untold = new Map();
    const ownersWhere = (isHere: boolean) => [...untold.values()].filter((one) => one.isHere === isHere).map(({ owner }) => owner);
    const joined = ownersWhere(true);
    try {
      await ready();
      this.#hasTold = true;
      const wasKnown = await storage?.announce(instance, { joined, left: ownersWhere(false) }, LEASE_MS);
      if (wasKnown === false && joined.length < this.#here.size) {
        this.#tellOfAll();
      }
      return null;
    } catch (error) {
      // Later changes win.
      this.#untold = new Map([...untold, ...this.#untold]);
      throw error;
    }
  }

  async #renew(): Promise<NextRun> {
    const { storage, instance, ready } = this.#options;
    if (this.#here.size === 0) {
      return null;
    }
    await ready();
    if ((await storage?.renew(instance, LEASE_MS)) === false) {
      // This process could not renew in time, and was taken for dead.
      this.#tellOfAll();
    }
    return RENEW_MS;
  }
}

/** Whether one of a user's instances renewed its lease since `before`; null if none has and one may yet. */
function wasRenewed(instances: readonly HoldingInstance[], before: readonly HoldingInstance[]): boolean | null {
  const known = new Map(before.map(({ instance, leasedUntilMs }) => [instance, leasedUntilMs]));
  const isRenewed = instances.some(({ instance, leasedUntilMs }) => leasedUntilMs === null || leasedUntilMs !== known.get(instance));
  return isRenewed ? true : instances.length === 0 ? false : null;
}

function keyOf({ tenant, userId }: Owner): string {
  return feedName(tenant, userId);
}
