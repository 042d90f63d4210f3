import type { Clock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";
import type { Logger } from "../foundation/logger.ts";
import type { Owner } from "../foundation/owner.ts";
import { Coalesced } from "../work/coalesced.ts";
import type { PresenceStorage } from "./presence-storage.ts";

const LEASE_MS = 90_000;
const RENEW_MS = 30_000;

/** What presence works with. */
export interface PresenceOptions {
  /** Who is connected to other processes; undefined where there are none. */
  readonly storage: PresenceStorage | undefined;
  /** Names this process. */
  readonly instance: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resolves once the storage can be used. */
  ready(): Promise<void>;
}

/** Knows which users have an open socket or stream, here or on another instance. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #here = new Map<string, Owner>();
  /** What the storage has not been told yet: true for users who came, false for those who left. */
  #untold = new Map<string, { readonly owner: Owner; readonly isHere: boolean }>();
  #telling: Promise<void> | null = null;
  #cancelRenewal: (() => void) | null = null;
  /** Whether the storage was told of anybody since the last {@link stop}. */
  #hasTold = false;
  #isStopped = false;
  readonly #elsewhere: Coalesced<Owner, boolean>;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#elsewhere = new Coalesced((owners) => options.storage?.online(owners) ?? Promise.resolve(owners.map(() => false)));
  }

  /** A user's first socket or stream of this process was opened. */
  joined(owner: Owner): void {
    this.#isStopped = false;
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

  /** Takes back what this process said, before the storage is closed. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#untold.clear();
    this.#cancelRenewal?.();
    this.#cancelRenewal = null;
    await this.#telling;
    const { storage, instance, logger } = this.#options;
    if (storage && this.#hasTold) {
      this.#hasTold = false;
      await storage.leave(instance).catch((error: unknown) => {
        logger.warn({ error }, "Belfry could not say that this instance stops; its users are taken for connected until the lease ends.");
      });
    }
  }

  #tell(owner: Owner, isHere: boolean): void {
    if (this.#options.storage === undefined || this.#isStopped) {
      return;
    }
    this.#untold.set(keyOf(owner), { owner, isHere });
    this.#work();
    this.#cancelRenewal ??= this.#options.clock.after(RENEW_MS, () => this.#renew());
  }

  #work(): void {
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = null;
    });
  }

  async #tellAll(): Promise<void> {
    const { storage, instance, logger, ready } = this.#options;
    while (this.#untold.size > 0) {
      const untold = this.#untold;
      this.#untold = new Map();
      const ownersWhere = (isHere: boolean) => [...untold.values()].filter((one) => one.isHere === isHere).map(({ owner }) => owner);
      try {
        await ready();
        this.#hasTold = true;
        await storage?.announce(instance, { joined: ownersWhere(true), left: ownersWhere(false) }, LEASE_MS);
      } catch (error) {
        if (this.#isStopped || (error instanceof BelfryError && error.code === "SERVICE_STOPPED")) {
          return;
        }
        logger.warn({ error }, `Belfry could not say who is connected here; it tries again within ${RENEW_MS} ms.`);
        this.#untold = new Map([...untold, ...this.#untold]);
        return;
      }
    }
  }

  #renew(): void {
    const { storage, instance, logger, clock } = this.#options;
    this.#work();
    storage?.renew(instance, LEASE_MS).catch((error: unknown) => {
      logger.warn({ error }, "Belfry could not renew who is connected here; it tries again.");
    });
    this.#cancelRenewal = this.#here.size > 0 || this.#untold.size > 0 ? clock.after(RENEW_MS, () => this.#renew()) : null;
  }
}

function keyOf({ tenant, userId }: Owner): string {
  // A NUL cannot be part of either.
  return `${tenant}\u0000${userId}`;
}
