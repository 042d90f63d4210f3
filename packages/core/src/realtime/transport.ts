import type { Owner } from "../foundation/owner.ts";
import type { HubEvent, SourceRecord } from "../hub/hub-model.ts";
import type { InboxItem } from "../inbox/inbox-item.ts";
import type { Notification } from "../notifications/notification.ts";

/** What changed in an inbox. */
export type InboxChange = "created" | "read" | "deleted" | "read_all" | "deleted_read";

/**
 * Says that something changed in one inbox. It is a hint, not the truth: a transport may lose it, and what it leaves
 * out (`notification`, `item`) the receiver reads from the database.
 */
export interface InboxSignal extends Owner {
  readonly change: InboxChange;
  /** The item's number; for `read_all` and `deleted_read` the last number the change covers. */
  readonly seq: number;
  readonly epoch: string;
  /** The id of the item that was read or deleted. */
  readonly id?: string;
  /** How many items `read_all` or `deleted_read` changed. */
  readonly count?: number;
  /** `created`, in the creating process only: what was created. */
  readonly notification?: Notification;
  /** `read` and `deleted`, in the changing process only: the item after the change. */
  readonly item?: InboxItem;
}

/**
 * Says that an event came into the hub, or that the processing of one settled. A hint too: what is left out (`event`,
 * `record`), the receiver reads from the database.
 */
export interface HubSignal {
  readonly topic: "hub";
  readonly tenant: string;
  readonly source: string;
  readonly change: "event" | "settled";
  /** The event's id, or the record's. */
  readonly id: string;
  /** `event`, in the creating process only. */
  readonly event?: HubEvent;
  /** `settled`, in the process that did it only. */
  readonly record?: SourceRecord;
}

/** What travels over a transport. */
export type Signal = InboxSignal | HubSignal;

/** Tells a signal of the hub from one of an inbox. */
export function isHubSignal(signal: Signal): signal is HubSignal {
  return "topic" in signal;
}

/** What a transport calls. */
export interface TransportListener {
  /** Signals arrived, in the order they were published by their process. */
  onSignals(signals: readonly Signal[]): void;
  /** Signals may have been lost: everybody should look at the database. */
  onGap(): void;
}

/** How changes travel between the processes and sockets of one installation. */
export interface Transport {
  /**
   * How often receivers look at the database for what a lost signal did not tell them, in milliseconds. 0 for a
   * transport that loses nothing, as within one process.
   */
  readonly pollIntervalMs: number;
  /**
   * Starts passing signals on, this process's own included. Resolves once signals published from now on will arrive.
   * Called again while started, it replaces nothing and resolves.
   */
  start(listener: TransportListener): Promise<void>;
  /**
   * Passes `signals` on, after their transaction committed. Never throws and never waits: a signal that cannot be
   * passed on is lost, and the receivers' own look at the database makes up for it.
   */
  publish(signals: readonly Signal[]): void;
  /** Stops calling the listener and releases what was opened. Idempotent. */
  stop(): Promise<void>;
}
