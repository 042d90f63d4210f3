import type { MigrationState } from "../work/migrations.ts";

/** What a database is at this moment. */
export interface DatabaseFacts {
  /** The name of its product: `SQLite`, `PostgreSQL`. */
  readonly product: string;
  readonly version: string;
  /** The time by the clock that decides what is due: the server's, or this machine's where the database is a file. */
  readonly now: Date;
  /** Settings of the database, by their names there, that decide what survives a failure and how much it can do at once. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Options of a migration. */
export interface MigrateInput {
  /** Whether to remove what only older versions of the storage's package need. Allow it once none of them runs any more. @default false */
  readonly cleanup?: boolean;
}

/** Options of partitions. */
export interface PartitionInput {
  /** How many deliveries' attempts a partition is to have, from 1,000. @default 10_000_000 */
  readonly deliveries?: number;
}

/**
 * The part of a storage that looks at its database from outside: also before the storage is open, while it is open, and without changing
 * anything but by {@link migrate} and {@link partition}.
 */
export interface StorageDatabase {
  /** Where the database is, for people: a URL without a password and without parameters. */
  readonly place: string;
  /** Reads what the database is. @throws BelfryError `STORAGE_UNAVAILABLE` if it is not there or out of reach; `STORAGE_FAILED` */
  inspect(): Promise<DatabaseFacts>;
  /** Compares the tables with those that the package needs; a database that is not there yet lacks all. @throws BelfryError as `migrate` */
  migrations(): Promise<MigrationState>;
  /**
   * Brings the tables up to date, with the steps that a storage otherwise takes in the background. Several processes may do so at once.
   *
   * @throws BelfryError `CONFIGURATION` if the database needs a newer package, or has a migration with other SQL; `STORAGE_UNAVAILABLE`,
   *   `STORAGE_FAILED`
   */
  migrate(input: MigrateInput): Promise<void>;
  /**
   * Keeps the attempts of deliveries in partitions, while others go on. It may be repeated. A storage that needs none leaves it out.
   *
   * @throws BelfryError `CONFIGURATION` if something that depends on the table rules partitions out; `INVALID_STATE` while a tenant moves;
   *   `STORAGE_UNAVAILABLE`, `STORAGE_FAILED`
   */
  partition?(input: PartitionInput): Promise<void>;
}
