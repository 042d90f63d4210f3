import type { Logger } from "@belfry/core";
import { type OptionChecks, SWITCH } from "@belfry/storage-sql";

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

/** The check of each option. */
export const SQLITE_OPTIONS: OptionChecks<SqliteStorageOptions> = {
  durability: ['"full" or "normal"', (value) => value === "full" || value === "normal"],
  migrate: SWITCH,
  busyTimeoutMs: ["a number from 0", (value) => Number.isFinite(value) && Number(value) >= 0],
  logger: null,
};
