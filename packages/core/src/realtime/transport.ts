import { EventEmitter } from "eventemitter3";
import type { HubSignal } from "../hub/index.ts";
import type { InboxSignal } from "../inbox/index.ts";
import { feedName } from "./feed-name.ts";
import type { PresenceStorage } from "./presence.ts";

/** An instance asks the others to renew the leases of their presence now. */
export interface PresenceSignal {
  readonly topic: "presence";
  /** The instance that asks. */
  readonly instance: string;
}

/** So many inboxes got items that each process looks in the database where those stand that are followed there. */
export interface InboxesSignal {
  readonly topic: "inboxes";
}

/** A broadcast of a tenant went out: everybody who is connected is to get it now. */
export interface BroadcastSignal {
  readonly topic: "broadcast";
  readonly tenant: string;
}

/** What workers look for. */
export type Work = "deliveries" | "digests" | "records";

/** Something may be due that a process without such a worker wrote. */
export interface WorkSignal {
  readonly topic: "work";
  readonly work: Work;
}

/** Somebody paused deliveries or resumed them: every process reads anew what is paused. */
export interface PausesSignal {
  readonly topic: "pauses";
}

/** Endpoints began to rest in a process, or rest no longer: others look in the database which. */
export interface RestsSignal {
  readonly topic: "rests";
}

/** A signal that a transport carries. */
export type Signal = InboxSignal | HubSignal | PresenceSignal | InboxesSignal | BroadcastSignal | WorkSignal | PausesSignal | RestsSignal;

/** Tells a signal of the hub from the others. */
export function isHubSignal(signal: Signal): signal is HubSignal {
  return "topic" in signal && signal.topic === "hub";
}

/** The name of the feed that a signal concerns: see {@link Transport.follow}. Null for a signal that concerns every process. */
export function feedOf(signal: Signal): string | null {
  if (!("topic" in signal)) {
    return feedName(signal.tenant, signal.userId);
  }
  return isHubSignal(signal) ? feedName(signal.tenant, signal.source) : null;
}

/** The functions that a transport calls. */
export interface TransportListener {
  /** Signals arrived, in the order in which their process published them. */
  onSignals(signals: readonly Signal[]): void;
  /** Signals may have been lost: everybody should look at the database. */
  onGap(): void;
}

/** Carries changes between the processes and sockets of one installation. */
export interface Transport {
  /**
   * The interval, in milliseconds, at which receivers look at the database for changes whose signals were lost. 0 for a
   * transport that loses nothing, for example within one process.
   */
  readonly pollIntervalMs: number;
  /** Whether signals reach nobody but this process's own listener: those that it has no use for are then not made. @default false */
  readonly isLocal?: boolean;
  /** Who is connected to which instance, for a transport that knows. It says itself when it cannot be reached. @default the storage knows */
  readonly presence?: PresenceStorage;
  /**
   * Starts passing signals on, this process's own included. Resolves once signals published from now on will arrive.
   * Called again while started, it replaces nothing and resolves, or refuses another listener.
   */
  start(listener: TransportListener): Promise<void>;
  /**
   * This process follows a feed from now on, which {@link feedOf} names: signals of others need not be brought here. It is called once
   * for each feed that is open here, whether the transport is started or not; a stop ends no following. Resolves once the feed's signals
   * that are published from now on will arrive, or will have been told of as a gap; it never rejects. @default every signal arrives
   */
  follow?(feed: string): Promise<void>;
  /** Nobody follows the feed here any more. */
  unfollow?(feed: string): void;
  /**
   * Passes `signals` on, after their transaction committed. Never throws and never waits: a signal that cannot be
   * passed on is lost, and the receivers' own look at the database makes up for it.
   */
  publish(signals: readonly Signal[]): void;
  /** Stops calling the listener and releases what was opened. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Passes signals on within one process, at once and in order. For an installation of a single process; it is the
 * default with storages that have no transport of their own.
 *
 * @example
 * ```ts
 * new NotificationService({ storage, transport: memoryTransport() });
 * ```
 */
export function memoryTransport(): Transport {
  const emitter = new EventEmitter<{ signals: [signals: readonly Signal[]] }>();
  return {
    pollIntervalMs: 0,
    isLocal: true,
    async start(listener: TransportListener) {
      if (emitter.listenerCount("signals") === 0) {
        emitter.on("signals", (signals) => listener.onSignals(signals));
      }
    },
    publish(signals) {
      emitter.emit("signals", signals);
    },
    async stop() {
      emitter.removeAllListeners();
    },
  };
}
