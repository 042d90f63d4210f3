import { BelfryError, consoleLogger, type Notification, type StorageDatabase } from "@belfry/core";
import {
  type ActivityStorage,
  type AlarmStorage,
  type ApiKeyStorage,
  type BroadcastStorage,
  type DecisionsStorage,
  type DeliveryStorage,
  type DevicesStorage,
  type DigestStorage,
  type HealthStorage,
  type HoldsStorage,
  type HubStorage,
  type InboxStorage,
  LaterMigrations,
  type Migration,
  type RetryRunStorage,
  type SocketTicketStorage,
  type Storage,
  type SuppressionsStorage,
  type TopicsStorage,
} from "@belfry/core/storage";
import {
  alarmStorage,
  apiKeyStorage,
  checkOptions,
  decisionsStorage,
  devicesStorage,
  holdsStorage,
  retryRunStorage,
  socketTicketStorage,
  suppressionsStorage,
} from "@belfry/storage-sql";
import type { Database } from "better-sqlite3";
import { sqliteBroadcasts } from "./audiences/sqlite-broadcasts.ts";
import { sqliteTopics } from "./audiences/sqlite-topics.ts";
import { HostTransactions } from "./creating/host-transactions.ts";
import { CommitWatch } from "./database/commit-watch.ts";
import { Connection } from "./database/connection.ts";
import { wrapError } from "./database/errors.ts";
import { type DrizzleSqliteDatabase, databaseOf, type SqliteTransaction } from "./database/host-database.ts";
import { configureHosts, configureOwn, mainFile, openDatabase, WorkerLock } from "./database/open-database.ts";
import { sqliteSql } from "./database/sql.ts";
import { SqliteDatabase } from "./database/sqlite-database.ts";
import { sqliteDigests } from "./delivery/digests.ts";
import { sqliteDeliveries } from "./delivery/sqlite-deliveries.ts";
import { sqliteHub } from "./hub/sqlite-hub.ts";
import { sqliteInbox } from "./inbox/sqlite-inbox.ts";
import { prepareHasNotification } from "./inbox/write-items.ts";
import { MIGRATIONS } from "./migrations/index.ts";
import { migrationStep, openTables } from "./migrations/migrate.ts";
import { sqliteActivity } from "./operator/sqlite-activity.ts";
import { sqliteHealth } from "./operator/sqlite-health.ts";
import { DEFAULT_BUSY_TIMEOUT_MS, SQLITE_OPTIONS, type SqliteStorageOptions } from "./sqlite-options.ts";

/**
 * Keeps Belfry's data in SQLite: in the file at a path, in a better-sqlite3 database of the host, or in the one behind
 * the host's drizzle database. Nothing is opened before the storage is first used.
 *
 * With a path, Belfry has a connection of its own, and a transaction of the host on another connection holds up writes
 * only. A database that is passed in is shared: Belfry's own operations wait until no transaction is open on it. It is
 * never closed, and its `journal_mode` stays as it is; WAL is advised.
 *
 * `:memory:` makes a database in memory that is lost when the storage is closed, so also when the service stops. To keep
 * the data of a test over a stop and a start, pass `new Database(":memory:")` of better-sqlite3 instead.
 *
 * @param source a path, `:memory:`, or an open database
 * @throws BelfryError `CONFIGURATION` for anything else
 *
 * @example
 * ```ts
 * const notifications = new NotificationService({ storage: sqliteStorage("app.db") });
 * ```
 */
export function sqliteStorage(source: string | Database | DrizzleSqliteDatabase, options: SqliteStorageOptions = {}): SqliteStorage {
  const database = typeof source === "string" ? checkPath(source) : databaseOf(source);
  if (database === null) {
    throw new BelfryError(
      "CONFIGURATION",
      `sqliteStorage got ${source === null ? "null" : `a ${typeof source}`} as its database. ` +
        "Pass a path, an open better-sqlite3 database, or a drizzle database over one.",
    );
  }
  checkOptions("sqliteStorage", options, SQLITE_OPTIONS);
  return new SqliteStorage(database, options);
}

/** Refuses an empty path, which nobody finds again, and a URL, which names a strange file. */
function checkPath(path: string): string {
  const isUrl = /^(sqlite|postgres|postgresql|https?):/.test(path);
  if (path === "" || isUrl) {
    const [, rest = ""] = /^sqlite:(?:\/\/)?(.+)$/.exec(path) ?? [];
    const remedy = rest === "" ? 'such as "data/app.db", or ":memory:"' : `such as ${JSON.stringify(rest)}`;
    throw new BelfryError("CONFIGURATION", `sqliteStorage takes the path of a file, got ${JSON.stringify(path)}. Pass one ${remedy}.`);
  }
  return path;
}

/** The parts that exist while the storage is open. */
interface OpenStorage {
  readonly connection: Connection;
  readonly hostTransactions: HostTransactions;
  readonly commits: CommitWatch;
  readonly workerLock: WorkerLock;
  /** Migrates in the background; null when nothing was left to do. */
  readonly migrating: LaterMigrations | null;
}

/** A storage in SQLite, as {@link sqliteStorage} makes it. */
export class SqliteStorage implements Storage<SqliteTransaction, void> {
  readonly name = "sqlite";
  readonly version = 1;
  /** Several processes may write to one file, but one of them delivers. */
  readonly hasSingleProcess = true;
  readonly hasSynchronousTransactions = true;
  readonly inbox: InboxStorage<SqliteTransaction, void>;
  readonly deliveries: DeliveryStorage<SqliteTransaction, void>;
  readonly activity: ActivityStorage;
  readonly apiKeys: ApiKeyStorage;
  readonly socketTickets: SocketTicketStorage;
  readonly hub: HubStorage;
  readonly decisions: DecisionsStorage;
  readonly digests: DigestStorage;
  readonly holds: HoldsStorage;
  readonly health: HealthStorage;
  readonly retryRuns: RetryRunStorage;
  readonly alarms: AlarmStorage;
  readonly topics: TopicsStorage;
  readonly devices: DevicesStorage;
  readonly suppressions: SuppressionsStorage;
  readonly broadcasts: BroadcastStorage<SqliteTransaction, void>;
  readonly database: StorageDatabase;
  readonly #source: string | Database;
  readonly #options: Required<SqliteStorageOptions>;
  readonly #migrations: readonly Migration[];
  #opening: Promise<void> | null = null;
  #open: OpenStorage | null = null;

  /** @param migrations this package's migrations; only tests pass others */
  constructor(source: string | Database, options: SqliteStorageOptions, migrations: readonly Migration[] = MIGRATIONS) {
    this.#source = source;
    this.#migrations = migrations;
    this.#options = {
      durability: options.durability ?? "full",
      migrate: options.migrate ?? true,
      busyTimeoutMs: options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS,
      logger: options.logger ?? consoleLogger,
    };
    const { durability, busyTimeoutMs } = this.#options;
    const connection = () => this.#open?.connection ?? null;
    this.database = new SqliteDatabase({ source, migrations, durability, busyTimeoutMs, current: connection });
    const current = () => this.#current();
    const sql = sqliteSql(current);
    this.inbox = sqliteInbox(current, sql);
    this.deliveries = sqliteDeliveries(current, sql);
    this.activity = sqliteActivity(current, sql);
    this.apiKeys = apiKeyStorage(sql);
    this.socketTickets = socketTicketStorage(sql);
    this.decisions = decisionsStorage(sql);
    this.devices = devicesStorage(sql);
    this.holds = holdsStorage(sql);
    this.health = sqliteHealth(current, sql);
    this.retryRuns = retryRunStorage(sql);
    this.alarms = alarmStorage(sql);
    this.suppressions = suppressionsStorage(sql);
    this.topics = sqliteTopics(current, sql);
    this.digests = sqliteDigests(current, sql);
    this.broadcasts = sqliteBroadcasts(current, sql);
    this.hub = sqliteHub(current, sql);
  }

  /** Opens the database and, unless told not to, migrates it. Does nothing if it is open. */
  open(): Promise<void> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = null;
      throw this.#openingError(error);
    });
    return this.#opening;
  }

  /** Runs a statement. It waits for nobody, since SQLite is in the process itself. */
  async ping(): Promise<void> {
    try {
      this.#current().connection.database.prepare("SELECT 1").get();
    } catch (error) {
      throw wrapError(error);
    }
  }

  /** Closes what {@link open} opened; a database that the host passed in stays open. */
  async close(): Promise<void> {
    // A failed open has nothing to close, and its caller got the error.
    await this.#opening?.catch(() => undefined);
    this.#opening = null;
    const open = this.#open;
    this.#open = null;
    await open?.migrating?.stop();
    open?.commits.close();
    open?.workerLock.release();
    if (typeof this.#source === "string") {
      open?.connection.database.close();
    }
  }

  /** Whether no other living process works on the database; see the README, "Several processes". */
  isOnlyWorker(): boolean {
    return this.#current().workerLock.take();
  }

  async #connect(): Promise<void> {
    const source = this.#source;
    const database = typeof source === "string" ? openDatabase(source) : source;
    try {
      const connection = new Connection(database, this.#options.busyTimeoutMs, typeof source === "string" ? "own" : "host's");
      const configure = typeof source === "string" ? configureOwn : configureHosts;
      await configure(connection, this.#options.durability);
      const isMoreToDo = await openTables(connection, this.#migrations, this.#options.migrate);
      const isThere = (notification: Notification) => connection.prepared(prepareHasNotification)(notification);
      const commits = new CommitWatch(database, isThere, this.#options.logger);
      const [hostTransactions, workerLock] = [new HostTransactions(database, commits), new WorkerLock(mainFile(database))];
      const step = () => migrationStep(connection, this.#migrations, false);
      const migrating = isMoreToDo ? new LaterMigrations({ step, logger: this.#options.logger }) : null;
      this.#open = { connection, commits, hostTransactions, workerLock, migrating };
    } catch (error) {
      if (typeof source === "string") {
        database.close();
      }
      throw error;
    }
  }

  #current(): OpenStorage {
    if (this.#open === null) {
      throw new BelfryError("STORAGE_UNAVAILABLE", `The SQLite storage of ${this.#label()} is not open. Await its open() first.`);
    }
    return this.#open;
  }

  #openingError(error: unknown): BelfryError {
    const wrapped = wrapError(error);
    if (wrapped.code !== "STORAGE_FAILED") {
      return wrapped;
    }
    // The driver's own words, without what else is said of an operation that was refused.
    const reason = wrapped.cause instanceof Error ? wrapped.cause.message : wrapped.message;
    const remedy = "Give the path of a SQLite file, or of a new one in a directory that this process can write to.";
    return new BelfryError("STORAGE_FAILED", `Cannot open the database ${JSON.stringify(this.#label())}: ${reason}. ${remedy}`, {
      cause: error,
    });
  }

  #label(): string {
    return typeof this.#source === "string" ? this.#source : this.#source.name;
  }
}
