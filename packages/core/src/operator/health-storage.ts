import type { BacklogBucket } from "./activity.ts";
import type { HealthWindow } from "./activity-storage.ts";
import type { SeenWorker } from "./work-health.ts";

/** What a worker says of itself. */
export type WorkerBeat = Omit<SeenWorker, "seenAt">;

/** What waited over a channel in the parts of a window; parts in which nobody looked are null. */
export interface ChannelBacklogs {
  readonly channel: string;
  readonly parts: readonly BacklogBucket["waiting"][];
}

/** What waited over the channels of a tenant in the parts of a window. */
export interface BacklogHistory {
  /** In which parts somebody looked. Nothing waited over a channel that is not named there. */
  readonly looked: readonly boolean[];
  readonly channels: readonly ChannelBacklogs[];
}

/** The part of a storage that keeps the figures of health over time, of all tenants and processes. */
export interface HealthStorage {
  /**
   * Folds sums of attempts whose minutes began before `before` into those of their half hours, the oldest first and some at a time, so that a
   * window of half hours counts the same before and after. Others may add to the same sums meanwhile. Returns whether more are left.
   */
  foldAttempts(before: Date): Promise<boolean>;
  /** Removes sums of attempts of minutes that began before `before`, the oldest first and some at a time. Returns whether more are left. */
  pruneAttempts(before: Date): Promise<boolean>;

  /**
   * Keeps how many deliveries of every tenant and channel wait at this moment, as those of the minute `minute`, unless somebody has for that minute.
   * It looks at up to `most`, those that are due first before others. Returns whether it was this call. It reads like `ActivityStorage.health`.
   */
  sampleBacklog(minute: Date, at: Date, most: number): Promise<boolean>;
  /** Returns what waited over a tenant's channels in the parts of a window. */
  backlogs(tenant: string, window: HealthWindow): Promise<BacklogHistory>;
  /**
   * Folds what was kept of minutes that began before `before` into the most of each half hour, the oldest first and some at a time, so that a window
   * of half hours says the same before and after. Several may do so at once. Returns whether more is left.
   */
  foldBacklogs(before: Date): Promise<boolean>;
  /** Removes what was kept of minutes that began before `before`, the oldest first and some at a time. Returns whether more is left. */
  pruneBacklogs(before: Date): Promise<boolean>;

  /** Keeps what the workers of an instance say of themselves, in the place of what they said before. */
  beat(workers: readonly WorkerBeat[], at: Date): Promise<void>;
  /** Returns up to `limit` workers with what they said last: first those that said nothing after `lost`, and of each those first that spoke last. */
  workers(limit: number, lost: Date): Promise<readonly SeenWorker[]>;
  /**
   * Returns for each name when any worker with it last said something, by name. What was said after `until` does not count: it is of a process whose clock
   * was ahead, and would hide for as long that it was lost.
   */
  lastSeen(until: Date): Promise<readonly Pick<SeenWorker, "name" | "seenAt">[]>;
  /** Forgets the workers of an instance. */
  leave(instance: string): Promise<void>;
  /** Forgets workers that said nothing since `before`. */
  pruneWorkers(before: Date): Promise<void>;
}
