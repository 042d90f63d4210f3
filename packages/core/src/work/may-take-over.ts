import type { Context } from "../service/context.ts";

/**
 * Whether what others hold at a worker's start is left over from a process that has ended, and can be taken over at once instead of when
 * its leases run out.
 */
export function mayTakeOver({ storage, logger }: Pick<Context, "storage" | "logger">, work: string): boolean {
  if (!storage.hasSingleProcess) {
    return false;
  }
  if (storage.isOnlyWorker?.() ?? true) {
    return true;
  }
  logger.warn(
    {},
    `Another process, or another service of this one, works on the ${work} of this ${storage.name} database. ` +
      "Let one do it, and give the others delivery: { worker: false } and hub: { worker: false }.",
  );
  return false;
}
