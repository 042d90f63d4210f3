import type { Logger } from "../foundation/logger.ts";

/** What a worker has to know of the storage whose tasks it shares with others. */
export interface SharedStorage {
  /** Names the storage in errors and logs, for example `sqlite`. */
  readonly name: string;
  /** Whether one process at a time uses the storage: leases that another owner left are then released at start. */
  readonly hasSingleProcess: boolean;
  /**
   * Where {@link hasSingleProcess} holds: whether no other living process works on the data. Only then are leases that another
   * owner left released at start; it is asked while the storage is open. @default no other does
   */
  isOnlyWorker?(): boolean;
}

/**
 * Whether what others hold at a worker's start is left over from a process that has ended, and can be taken over at once instead of when
 * its leases run out.
 */
export function mayTakeOver({ storage, logger }: { readonly storage: SharedStorage; readonly logger: Logger }, work: string): boolean {
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
