import { type ChecksOf, requireInput } from "../foundation/issue-list.ts";
import { whole } from "../foundation/parse-text.ts";
import type { MigrationState } from "../work/migrations.ts";
import type { DatabaseFacts, MigrateInput, PartitionInput, StorageDatabase } from "./storage-database.ts";

const MIGRATE: ChecksOf<MigrateInput> = {
  cleanup: (value, field) => (typeof value === "boolean" ? null : { path: [field], type: "value_error", message: "must be true or false" }),
};

const PARTITION: ChecksOf<PartitionInput> = { deliveries: whole({ min: 1_000 }) };

/**
 * The database behind a service: `notifications.database`. It looks at the database from outside: its calls open no storage, start no
 * work, and only {@link migrate} and {@link partition} change anything. They may be made before the service starts, and after it stopped.
 *
 * @example
 * ```ts
 * const { pending } = await notifications.database.migrations();
 * if (pending.some(({ phase }) => phase === "expand")) {
 *   await notifications.database.migrate();
 * }
 * ```
 */
export class ServiceDatabase {
  readonly #database: StorageDatabase;

  /** Hosts do not call this. They use `notifications.database`. */
  constructor(database: StorageDatabase) {
    this.#database = database;
  }

  /** Where the database is, for people: a URL without a password. */
  get place(): string {
    return this.#database.place;
  }

  /**
   * Returns what the database is: its product and version, its clock, and the settings that matter.
   *
   * @throws BelfryError `STORAGE_UNAVAILABLE` if it is not there or out of reach; `STORAGE_FAILED`
   */
  inspect(): Promise<DatabaseFacts> {
    return this.#database.inspect();
  }

  /**
   * Returns which migrations the database lacks; one that is not there yet lacks all. It does not wait for others that migrate at this moment.
   *
   * @throws BelfryError `CONFIGURATION` if the database needs a newer package, or has a migration with other SQL; `STORAGE_UNAVAILABLE`,
   *   `STORAGE_FAILED`
   */
  migrations(): Promise<MigrationState> {
    return this.#database.migrations();
  }

  /**
   * Brings the tables up to date, to the end: also what a storage does in the background after it opened. Several processes may do so at
   * once, and a call that was interrupted may be repeated.
   *
   * @throws BelfryError as {@link migrations}; `VALIDATION_ERROR`
   */
  async migrate(input: MigrateInput = {}): Promise<void> {
    requireInput("database.migrate", input, MIGRATE);
    await this.#database.migrate(input);
  }
  /** Whether {@link partition} does anything here: on PostgreSQL. */
  get supportsPartitions(): boolean {
    return this.#database.partition !== undefined;
  }

  /**
   * Keeps the attempts of deliveries in partitions, one after another in time, and makes those that are due: see the guide on partitions. Nothing is
   * copied, and processes go on meanwhile. A call that was interrupted may be repeated. There is no way back.
   *
   * @returns whether they are in partitions now: false where the database needs none (SQLite)
   * @throws BelfryError `VALIDATION_ERROR`; `CONFIGURATION` for tables that are not there, and while views, triggers, publications or the like of
   *   yours depend on the table; `INVALID_STATE` while a tenant moves; `STORAGE_UNAVAILABLE`, for example if a transaction held the table for ten
   *   minutes; `STORAGE_FAILED`
   */
  async partition(input: PartitionInput = {}): Promise<boolean> {
    requireInput("database.partition", input, PARTITION);
    await this.#database.partition?.(input);
    return this.supportsPartitions;
  }
}
