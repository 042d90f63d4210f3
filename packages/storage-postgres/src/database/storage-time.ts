/** Whose clock decides what is due. */
export type TimeSource = "database" | "service";

/** What statements take for now: the service's time, or null for the database's own. */
export type StorageTime = (at: Date) => string | null;

/** The time of statements, as the option `time` says. */
export function storageTime(source: TimeSource): StorageTime {
  return source === "service" ? (at) => at.toISOString() : () => null;
}
