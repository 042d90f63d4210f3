import { type ClaimedDelivery, type ClaimedDigest, CloseDigests, DeliverDue, type DeliveryContext } from "../delivery/index.ts";
import { type ClaimedRecord, type HubContext, ProcessDue } from "../hub/index.ts";
import type { DueWorker } from "../work/due-worker.ts";
import type { JobQueues } from "../work/job-queue.ts";
import { LeaseEngine } from "../work/lease-engine.ts";
import type { LeasedTasks } from "../work/leased-tasks.ts";
import { LeasedWorker } from "../work/leased-worker.ts";
import { QueuedWorker } from "../work/queued-worker.ts";
import { type ServiceRole, workOf } from "./roles.ts";
import type { DeliveryOptions, HubOptions } from "./service-options.ts";

/** How often an instance looks for work that another one left. */
const POLL_INTERVAL_MS = 1_000;
const DEFAULT_LEASE_MS = 60_000;
const DRAIN_MS = 10_000;

/** The workers of a process; null for work that it leaves to others. */
export interface Workers {
  readonly delivering: DueWorker<ClaimedDelivery> | null;
  readonly bundling: DueWorker<ClaimedDigest> | null;
  readonly processing: DueWorker<ClaimedRecord> | null;
}

/** What a host says of its workers. */
export interface WorkersOptions {
  readonly delivery: DeliveryOptions;
  readonly hub: HubOptions;
  /** Where deliveries and records are jobs: a process that leaves them to others adds jobs, too. */
  readonly queues: JobQueues | undefined;
}

/** Makes the workers of a process. */
export function workersOf(context: DeliveryContext & HubContext, { delivery, hub, queues }: WorkersOptions, role: ServiceRole): Workers {
  const { delivers, processes } = workOf(role);
  const { worker: isDelivering = true } = delivery;
  const { worker: isProcessing = true } = hub;
  return {
    delivering: deliveryWorker(context, delivery, { queues, runs: delivers && isDelivering }),
    bundling: delivers && isDelivering ? digestWorker(context, delivery) : null,
    processing: hubWorker(context, hub, {
      queues,
      runs: processes && isProcessing,
      isAlone: hub.processor === undefined && role === "all",
    }),
  };
}

/** Whether this process runs what is due, and where that is a job, if anywhere. */
interface Running {
  readonly queues: JobQueues | undefined;
  readonly runs: boolean;
}

/** The worker that delivers what is due, or only has jobs added for it; null where this process does neither. */
function deliveryWorker(context: DeliveryContext, options: DeliveryOptions, running: Running): DueWorker<ClaimedDelivery> | null {
  const { concurrency = 100, leaseMs = DEFAULT_LEASE_MS, drainMs = DRAIN_MS } = options;
  const tasks = new DeliverDue(context, { concurrency, leaseMs });
  return workerOf(context, tasks, { concurrency, leaseMs, drainMs, isAlone: false, ...running });
}

/** How many digests are rendered at once. */
const MOST_DIGESTS = 10;

/** The worker that puts deliveries into digests and renders them. */
function digestWorker(context: DeliveryContext, options: DeliveryOptions): DueWorker<ClaimedDigest> | null {
  const { concurrency = MOST_DIGESTS, leaseMs = DEFAULT_LEASE_MS, drainMs = DRAIN_MS } = options;
  const numbers = { concurrency: Math.min(concurrency, MOST_DIGESTS), leaseMs, drainMs };
  // Without a channel nothing is bundled.
  const running = { queues: undefined, runs: true };
  return workerOf(context, new CloseDigests(context), { ...numbers, isAlone: context.channels.size === 0, ...running });
}

/** The worker that runs the hub's handlers, or only has jobs added for them; null where this process does neither. */
function hubWorker(
  context: HubContext,
  options: HubOptions,
  { isAlone, ...running }: Running & Pick<Numbers, "isAlone">,
): DueWorker<ClaimedRecord> | null {
  const { processor, onResult, leaseMs, drainMs = DRAIN_MS } = options;
  const tasks = new ProcessDue(context, processor, onResult);
  const { concurrency } = tasks;
  const lease = leaseMs ?? Math.max(DEFAULT_LEASE_MS, 2 * (processor?.timeoutMs ?? 0));
  // Without a processor there are no records to wait for, unless others leave them to it: what comes in through this process itself wakes it.
  return workerOf(context, tasks, { concurrency, leaseMs: lease, drainMs, isAlone, ...running });
}

interface Numbers extends Running {
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly drainMs: number;
  /** Whether nothing comes in that other processes left. */
  readonly isAlone: boolean;
}

function workerOf<Task, Fairness extends object, Ended>(
  context: DeliveryContext | HubContext,
  tasks: LeasedTasks<Task, Fairness, Ended>,
  { isAlone, queues, runs, ...numbers }: Numbers,
): DueWorker<Task> | null {
  if (!runs && queues === undefined) {
    return null;
  }
  const { storage, clock, ids, logger } = context;
  // Every engine is an owner of leases with a name of its own.
  const engine = new LeaseEngine(tasks, { ...numbers, owner: ids.next(), storage, clock, logger, ready: () => context.ready() });
  const pollIntervalMs = storage.hasSingleProcess || isAlone ? null : POLL_INTERVAL_MS;
  const options = { ...numbers, pollIntervalMs, clock, logger };
  const { byName } = engine;
  return queues === undefined || byName === undefined
    ? new LeasedWorker(engine, options)
    : new QueuedWorker(engine, byName, { ...options, queues, runs });
}
