import { BelfryError, type Logger } from "@belfry/core";

/** How {@link sqliteStorage} works with its database. */
export interface SqliteStorageOptions {
  /**
   * The failures that an acknowledged write survives. `full`: the process being killed, and power loss on honest disks
   * (`PRAGMA synchronous = FULL`). `normal`: the process being killed; power loss may undo the last moments
   * (`PRAGMA synchronous = NORMAL`). On a database that the host passed in, `full` is set on its connection, and
   * `normal` leaves the connection as it is.
   *
   * @default "full"
   */
  readonly durability?: "full" | "normal";
  /** Whether opening brings the tables up to date. @default true */
  readonly migrate?: boolean;
  /**
   * How long an operation waits, in milliseconds and without blocking the event loop, for whoever holds the database
   * before it fails with `STORAGE_UNAVAILABLE`: another process that writes, or an open transaction of the host.
   *
   * @default 5000
   */
  readonly busyTimeoutMs?: number;
  /** Where a migration that fails in the background is reported. @default warnings and errors on the console */
  readonly logger?: Logger;
}

export const DEFAULT_BUSY_TIMEOUT_MS = 5_000;

/** Every option by name. */
export const SQLITE_OPTIONS: Readonly<Record<keyof SqliteStorageOptions, true>> = {
  durability: true,
  migrate: true,
  busyTimeoutMs: true,
  logger: true,
};

/** Checks the values of options. @throws BelfryError `CONFIGURATION` */
export function checkSqliteOptions({ durability, migrate, busyTimeoutMs }: SqliteStorageOptions): void {
  const problems = {
    'durability as "full" or "normal"': durability !== undefined && durability !== "full" && durability !== "normal",
    "migrate as true or false": migrate !== undefined && typeof migrate !== "boolean",
    "busyTimeoutMs as a number from 0": busyTimeoutMs !== undefined && !(Number.isFinite(busyTimeoutMs) && busyTimeoutMs >= 0),
  };
  const [problem] = Object.entries(problems).find(([, isWrong]) => isWrong) ?? [];
  if (problem !== undefined) {
    throw new BelfryError("CONFIGURATION", `sqliteStorage takes ${problem}.`);
  }
}
