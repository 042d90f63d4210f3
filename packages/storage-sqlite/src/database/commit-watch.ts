import { type Logger, type Notification, systemClock } from "@belfry/core";
import { Loop, type NextRun } from "@belfry/core/storage";
import type { Database } from "better-sqlite3";
import { isBusy } from "./errors.ts";

const MIN_DELAY_MS = 1;
const MAX_DELAY_MS = 50;

/** A write in a transaction of the host whose end Belfry waits for. */
export interface WatchedWrite {
  readonly notification: Notification;
  /** Whether the write made the notification, or found it there. */
  readonly isNew: boolean;
  /** The connection of the host's transaction. */
  readonly host: Database;
  onCommit(): void;
  /** Called once the transaction is over, either way. */
  onOver(): void;
}

/**
 * Learns whether transactions of the host committed. SQLite's driver tells nobody of a commit, so Belfry looks. A
 * synchronous transaction is over by the next microtask; Belfry looks again at one that the host began by hand until it
 * is over. Whatever the storage's own connection then sees has committed.
 */
export class CommitWatch {
  readonly #own: Database;
  readonly #isThere: (notification: Notification) => boolean;
  readonly #watched = new Set<WatchedWrite>();
  readonly #looking: Loop;
  #delayMs = MIN_DELAY_MS;

  /**
   * @param own the storage's connection
   * @param isThere whether that connection sees a notification
   */
  constructor(own: Database, isThere: (notification: Notification) => boolean, logger: Logger) {
    this.#own = own;
    this.#isThere = isThere;
    this.#looking = new Loop({ task: "look for commits of the host", run: () => this.#look(), clock: systemClock, logger });
  }

  /** Calls `write.onCommit` once its transaction has committed, and never if it rolled back. */
  add(write: WatchedWrite): void {
    if (write.isNew) {
      this.#dropEarlier(write.notification);
    }
    this.#watched.add(write);
    if (this.#watched.size === 1) {
      this.#delayMs = MIN_DELAY_MS;
      queueMicrotask(() => this.#looking.wake());
    }
  }

  /** Looks a last time: reports what has committed by now, and stops watching the rest. */
  close(): void {
    this.#settle();
    this.#watched.clear();
    void this.#looking.stop();
  }

  /** Drops earlier writes of a notification made anew: they were rolled back. */
  #dropEarlier({ tenant, id }: Notification): void {
    for (const earlier of this.#watched) {
      if (earlier.notification.id === id && earlier.notification.tenant === tenant) {
        this.#watched.delete(earlier);
      }
    }
  }

  #look(): NextRun {
    this.#settle();
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(delayMs * 2, MAX_DELAY_MS);
    return this.#watched.size > 0 ? delayMs : null;
  }

  #settle(): void {
    for (const write of [...this.#watched]) {
      const isOpen = write.host.open && write.host.inTransaction;
      const hasCommitted = this.#hasCommitted(write, isOpen);
      if (hasCommitted === null || (!hasCommitted && isOpen)) {
        continue;
      }
      this.#watched.delete(write);
      write.onOver();
      if (hasCommitted) {
        // A listener that throws must not keep the others from hearing.
        queueMicrotask(write.onCommit);
      }
    }
  }

  /** Null if this is unknown at the moment. */
  #hasCommitted(write: WatchedWrite, isOpen: boolean): boolean | null {
    if (!this.#own.open || (isOpen && write.host === this.#own)) {
      // The host's own connection sees what is not committed yet.
      return false;
    }
    try {
      return this.#isThere(write.notification);
    } catch (error) {
      if (isBusy(error)) {
        return null;
      }
      throw error;
    }
  }
}
