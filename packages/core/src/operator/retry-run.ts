import type { NewAuditEntry } from "../delivery/index.ts";
import type { Owner } from "../foundation/context.ts";
import type { ActivityFilter } from "./activity.ts";

/**
 * How a retry run stands:
 *
 * ```
 * running ──pause──> paused ──resume──> running
 * running ──nothing older matches──> finished
 * running or paused ──cancel──> cancelled
 * ```
 */
export type RetryRunState = "running" | "paused" | "finished" | "cancelled";

/** A retry of every send that matches a filter, in the background. */
export interface RetryRun {
  readonly id: string;
  readonly filter: ActivityFilter;
  /** Who asked for it; empty once that user was deleted. */
  readonly actor: string;
  readonly state: RetryRunState;
  /** How many sends matched when it began, counted up to 10,000. */
  readonly matched: number;
  /** How many sends it has come to, the newest first. */
  readonly looked: number;
  /** How many of them are tried again. The others changed meanwhile, and were left alone. */
  readonly retried: number;
  readonly createdAt: Date;
  /** When it finished or was cancelled; null before. */
  readonly endedAt: Date | null;
}

/** A retry run that a process works on. */
export interface TakenRetryRun extends RetryRun {
  readonly tenant: string;
  /** The last send that it has come to; null before the first. */
  readonly after: string | null;
  /** Shows whether another process has taken it since. */
  readonly fence: number;
}

/** What a process did of a retry run. */
export interface RetryProgress {
  /** The send that it came to; null where it only ends its turn. */
  readonly after: string | null;
  readonly retried: boolean;
  /** Whether nothing older is left. */
  readonly isOver: boolean;
  /** For how long nobody else is to take it; 0 ends the turn. */
  readonly leaseMs: number;
  readonly at: Date;
}

/** A change of a retry run's state. */
export interface RetryRunMove {
  /** In which states it may be. */
  readonly from: readonly RetryRunState[];
  readonly to: RetryRunState;
  readonly at: Date;
  /** The line of the audit log. */
  readonly line: NewAuditEntry;
}

/** The part of a storage that keeps retry runs. Every method is one transaction. */
export interface RetryRunStorage {
  /**
   * Writes a run that is due at once, and a line of the audit log. False, and nothing is written, if `most` runs of the tenant are running or paused; of calls at the same
   * time, each may count without the others.
   */
  add(tenant: string, run: RetryRun, terms: { readonly most: number; readonly line: NewAuditEntry }): Promise<boolean>;
  /** Returns up to `limit` runs of a tenant, newest first. */
  list(tenant: string, limit: number): Promise<readonly RetryRun[]>;
  /** Returns a run, or null when the tenant has none of that id. */
  find(tenant: string, id: string): Promise<RetryRun | null>;
  /** Changes a run's state, takes it from whoever works on it, and writes the line. False, and nothing is written, if it is in none of the states `from`. */
  move(tenant: string, id: string, move: RetryRunMove): Promise<boolean>;
  /**
   * Takes the run, of any tenant, whose turn was longest ago and that nobody works on; null for none. It is the caller's for `leaseMs`, unless the
   * caller says that it goes on.
   */
  take(at: Date, leaseMs: number): Promise<TakenRetryRun | null>;
  /** Notes progress. False, and nothing is noted, if the run is running no longer, or another process has taken it since. */
  advance(run: Pick<TakenRetryRun, "id" | "fence">, progress: RetryProgress): Promise<boolean>;
  /** In how many milliseconds the next run may be taken; 0 for now, null for none. */
  nextDueInMs(at: Date): Promise<number | null>;
  /** Removes runs that ended before `before`. */
  prune(before: Date): Promise<void>;
  /** Removes the runs of a tenant that look for this recipient, and empties the actor of those that the user asked for. */
  erase(owner: Owner): Promise<void>;
}
