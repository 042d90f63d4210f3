import { type ClaimedDelivery, DeliverDue, type DeliveryContext } from "../delivery/index.ts";
import { type ClaimedRecord, type HubContext, ProcessDue } from "../hub/index.ts";
import { LeaseEngine, type LeaseEngineOptions } from "../work/lease-engine.ts";
import { LeasedWorker } from "../work/leased-worker.ts";
import type { DeliveryOptions, HubOptions } from "./service-options.ts";

/** How often an instance looks for work that another one left. */
const POLL_INTERVAL_MS = 1_000;
const DEFAULT_LEASE_MS = 60_000;
const DRAIN_MS = 10_000;

/** The worker that delivers what is due; null where this process does not. */
export function deliveryWorker(
  context: DeliveryContext,
  { worker = true, ...options }: DeliveryOptions,
): LeasedWorker<ClaimedDelivery> | null {
  const { concurrency = 100, leaseMs = DEFAULT_LEASE_MS, drainMs = DRAIN_MS } = options;
  const { clock, logger, storage } = context;
  const pollIntervalMs = storage.hasSingleProcess ? null : POLL_INTERVAL_MS;
  const work = new LeaseEngine(new DeliverDue(context, { concurrency, leaseMs }), engineOptions(context, { concurrency, leaseMs }));
  return worker ? new LeasedWorker(work, { concurrency, leaseMs, drainMs, pollIntervalMs, clock, logger }) : null;
}

/**
 * The worker that runs the hub's handlers; null where this process does not. A host without a processor has no records to wait
 * for: what comes in through this process itself wakes it.
 */
export function hubWorker(context: HubContext, options: HubOptions): LeasedWorker<ClaimedRecord> | null {
  const { processor, onResult, worker = true, leaseMs, drainMs = DRAIN_MS } = options;
  const lease = leaseMs ?? Math.max(DEFAULT_LEASE_MS, 2 * (processor?.timeoutMs ?? 0));
  const records = new ProcessDue(context, { processor: processor ?? null, onResult: onResult ?? null });
  const { concurrency } = records;
  const work = new LeaseEngine(records, engineOptions(context, { concurrency, leaseMs: lease }));
  const { clock, logger, storage } = context;
  const pollIntervalMs = storage.hasSingleProcess || processor === undefined ? null : POLL_INTERVAL_MS;
  return worker ? new LeasedWorker(work, { concurrency, leaseMs: lease, drainMs, pollIntervalMs, clock, logger }) : null;
}

/** Every engine is an owner of leases with a name of its own, which is drawn here. */
function engineOptions(
  { storage, clock, ids, logger, ready }: DeliveryContext | HubContext,
  numbers: Pick<LeaseEngineOptions, "concurrency" | "leaseMs">,
): LeaseEngineOptions {
  return { ...numbers, owner: ids.next(), storage, clock, logger, ready: () => ready() };
}
