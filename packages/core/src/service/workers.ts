import { type ClaimedDelivery, type ClaimedDigest, CloseDigests, DeliverDue, type DeliveryContext } from "../delivery/index.ts";
import { type ClaimedRecord, type HubContext, ProcessDue } from "../hub/index.ts";
import type { DueWorker } from "../work/due-worker.ts";
import { LeaseEngine } from "../work/lease-engine.ts";
import type { LeasedTasks } from "../work/leased-tasks.ts";
import { LeasedWorker } from "../work/leased-worker.ts";
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

/** Makes the workers of a process. */
export function workersOf(
  context: DeliveryContext & HubContext,
  { delivery, hub }: { readonly delivery: DeliveryOptions; readonly hub: HubOptions },
  role: ServiceRole,
): Workers {
  const { delivers, processes } = workOf(role);
  return {
    delivering: delivers ? deliveryWorker(context, delivery) : null,
    bundling: delivers ? digestWorker(context, delivery) : null,
    processing: processes ? hubWorker(context, hub, role) : null,
  };
}

/** The worker that delivers what is due; null where this process does not. */
function deliveryWorker(context: DeliveryContext, options: DeliveryOptions): DueWorker<ClaimedDelivery> | null {
  const { worker = true, concurrency = 100, leaseMs = DEFAULT_LEASE_MS, drainMs = DRAIN_MS } = options;
  const tasks = new DeliverDue(context, { concurrency, leaseMs });
  return worker ? workerOf(context, tasks, { concurrency, leaseMs, drainMs, isAlone: false }) : null;
}

/** How many digests are rendered at once. */
const MOST_DIGESTS = 10;

/** The worker that puts deliveries into digests and renders them; null where this process does not deliver. */
function digestWorker(context: DeliveryContext, options: DeliveryOptions): DueWorker<ClaimedDigest> | null {
  const { worker = true, concurrency = MOST_DIGESTS, leaseMs = DEFAULT_LEASE_MS, drainMs = DRAIN_MS } = options;
  const numbers = { concurrency: Math.min(concurrency, MOST_DIGESTS), leaseMs, drainMs };
  // Without a channel nothing is bundled.
  return worker ? workerOf(context, new CloseDigests(context), { ...numbers, isAlone: context.channels.size === 0 }) : null;
}

/** The worker that runs the hub's handlers; null where this process does not. */
function hubWorker(context: HubContext, options: HubOptions, role: ServiceRole): DueWorker<ClaimedRecord> | null {
  const { processor, onResult, worker = true, leaseMs, drainMs = DRAIN_MS } = options;
  const tasks = new ProcessDue(context, processor, onResult);
  const { concurrency } = tasks;
  const lease = leaseMs ?? Math.max(DEFAULT_LEASE_MS, 2 * (processor?.timeoutMs ?? 0));
  // Without a processor there are no records to wait for, unless others leave them to it: what comes in through this process itself wakes it.
  const isAlone = processor === undefined && role === "all";
  return worker ? workerOf(context, tasks, { concurrency, leaseMs: lease, drainMs, isAlone }) : null;
}

interface Numbers {
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly drainMs: number;
  /** Whether nothing comes in that other processes left. */
  readonly isAlone: boolean;
}

function workerOf<Task, Fairness extends object, Ended>(
  context: DeliveryContext | HubContext,
  tasks: LeasedTasks<Task, Fairness, Ended>,
  { isAlone, ...numbers }: Numbers,
): DueWorker<Task> {
  const { storage, clock, ids, logger } = context;
  // Every engine is an owner of leases with a name of its own.
  const engine = new LeaseEngine(tasks, { ...numbers, owner: ids.next(), storage, clock, logger, ready: () => context.ready() });
  const pollIntervalMs = storage.hasSingleProcess || isAlone ? null : POLL_INTERVAL_MS;
  return new LeasedWorker(engine, { ...numbers, pollIntervalMs, clock, logger });
}
