import type { WorkerLoad } from "../work/worker-load.ts";
import type { HealthBucket } from "./activity.ts";

/** The leases of one worker, of any process, on tasks of a tenant. */
export interface HeldLeases {
  /** What it works on, as a worker is named: `deliveries`, `digests` or `processing records`. */
  readonly work: string;
  /** The worker; {@link WorkerLoad.owner} of its process. */
  readonly owner: string;
  readonly leases: number;
  /** When the last of them runs out, unless it is renewed: a living worker renews each after a third of its time. */
  readonly until: Date;
}

/** A worker of any process, as it said last. */
export interface SeenWorker extends WorkerLoad {
  /** The instance: another one for each start of a process. */
  readonly instance: string;
  /** When it said so, which it does every 10 seconds. */
  readonly seenAt: Date;
}

/** A worker of another process. */
export interface OtherWorker extends SeenWorker {
  /** Whether it has said nothing for 30 seconds: its process ended without a stop, hangs, or cannot reach the database. */
  readonly isLost: boolean;
}

/** Tasks that wait, counted up to 10,000. */
export interface WaitingTasks {
  readonly waiting: number;
  /** Of these, the ones whose time has come. */
  readonly due: number;
  /** The due time of the one that has been due longest; null when none is due. */
  readonly oldestDueAt: Date | null;
}

/** The health of the hub: how it did on the events that came in the period, the newest 5,000 of them. */
export interface HubHealth extends WaitingTasks {
  readonly succeeded: number;
  readonly failed: number;
  /** The median time from a record's beginning to its end, in milliseconds; null when none ended. */
  readonly p50Ms: number | null;
  /** The 95th percentile of that time. */
  readonly p95Ms: number | null;
  /** The period in equal parts, oldest first, each with the records that began in it. */
  readonly buckets: readonly HealthBucket[];
}

/** The work in the background. */
export interface WorkHealth {
  /** The workers of this process. */
  readonly workers: readonly WorkerLoad[];
  /** The workers of other processes, up to 200, those that were lost first. A process that stopped is not among them; one that was lost is, for 15 minutes. */
  readonly others: readonly OtherWorker[];
  /** The leases of all processes at this moment. A worker that holds none is not among them. */
  readonly leases: readonly HeldLeases[];
  readonly hub: HubHealth;
  /** The windows of digests that are open, or that are to be rendered. */
  readonly digests: WaitingTasks;
}

/** A processing record of a recent event. */
export interface RecentRecord {
  readonly status: "PENDING" | "PROCESSING" | "COMPLETED" | "FAILED";
  readonly createdAt: Date;
  readonly completedAt: Date | null;
}

/** The reads of a storage that say how the work in the background stands. Each is bounded. */
export interface WorkHealthReads {
  /** Returns who holds leases of a tenant's tasks, by what they work on and their name. */
  leases(tenant: string): Promise<readonly HeldLeases[]>;
  /** Returns up to `limit` processing records of the newest `limit` events that came at `from` or later. */
  recentRecords(tenant: string, from: Date, limit: number): Promise<readonly RecentRecord[]>;
  /** Counts up to `limit` processing records that wait. */
  waitingRecords(tenant: string, at: Date, limit: number): Promise<WaitingTasks>;
  /** Counts up to `limit` windows of digests that are open, or are to be rendered. */
  waitingDigests(tenant: string, at: Date, limit: number): Promise<WaitingTasks>;
}
