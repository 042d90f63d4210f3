import { added } from "../added.ts";
import type { ClientError, Result } from "../result.ts";
import type { PushLook } from "./kept-device.ts";

/** How this browser gets pushes. */
export interface PushOptions extends PushLook {
  /** The address of the service worker's script, on the page's own origin, such as `/belfry-worker.js`. */
  readonly worker: string;
  /** The addresses that the service worker is for. @default the folder of its script */
  readonly scope?: string;
  /** What users call this browser in lists of their devices. @default none */
  readonly name?: string;
}

/**
 * Whether this browser gets pushes:
 *
 * - `unknown`: nobody has asked yet, or the server could not be asked.
 * - `not_offered`: the client has no option `push`, or the server pushes to no browsers.
 * - `unsupported`: the browser cannot get any, or the page is not secure.
 * - `needs_install`: only once the user has added the site to the home screen, as on iPhones.
 * - `denied`: the user said no. Only the browser's own settings change that.
 * - `off` and `on`: the user may switch.
 */
export type PushState = "unknown" | "not_offered" | "unsupported" | "needs_install" | "denied" | "off" | "on";

/** This browser at one moment. It is immutable, and the same object until something changes. */
export interface PushSnapshot {
  readonly state: PushState;
  /** Whether it is being switched on or off. */
  readonly isBusy: boolean;
  /** Why the last try failed. */
  readonly error: ClientError | null;
}

/** What there is to do: `start` and `stop` when the client does, the rest when the host asks for it. */
export type PushTask = "start" | "stop" | "look" | "enable" | "disable";

/** Loads the half that does it. @param asked what the user says about notifications */
export type DoPush = (task: PushTask, asked?: Promise<NotificationPermission>) => Promise<Result<PushState>>;

/**
 * This browser as a device of the user. The code behind it is loaded when it is needed. Calls never reject.
 *
 * @example
 * ```ts
 * await client.push.enable();
 * ```
 */
export class Push {
  /** Hosts do not use these two: the half that is loaded later sets the one, and tells the other. */
  snapshot: PushSnapshot = { state: "unknown", isBusy: false, error: null };
  readonly listeners = new Set<() => void>();
  readonly #do: DoPush;

  /** Hosts do not call this. They use `inbox.push`. */
  constructor(doPush: DoPush) {
    this.#do = doPush;
  }

  /** Calls `listener` whenever the snapshot changes, and finds out the state. Returns the function that ends it. */
  subscribe(listener: () => void): () => void {
    void this.#do("look");
    return added(this.listeners, listener);
  }

  /** The state of this browser, as far as it is known. */
  getSnapshot(): PushSnapshot {
    return this.snapshot;
  }

  /**
   * Asks the user for permission, and registers this browser as a device of theirs. Call it when they click on something: browsers refuse to
   * ask otherwise.
   */
  enable(): Promise<Result<PushState>> {
    // Browsers want to be asked before anything is waited for.
    const isOffered = this.snapshot.state !== "not_offered";
    return this.#do("enable", isOffered ? globalThis.Notification?.requestPermission() : undefined);
  }

  /** Ends the subscription of this browser, and removes the device. Call it before the user signs out, too. */
  disable(): Promise<Result<PushState>> {
    return this.#do("disable");
  }
}
