import { BelfryError, consoleLogger, type StorageDatabase } from "@belfry/core";
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
  type PresenceStorage,
  type ReplicaStorage,
  type RetryRunStorage,
  type SocketTicketStorage,
  type Storage,
  type SuppressionsStorage,
  type TopicsStorage,
  type Transport,
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
import type { Pool } from "pg";
import { postgresBroadcasts } from "./audiences/postgres-broadcasts.ts";
import { postgresTopics } from "./audiences/postgres-topics.ts";
import { HostTransactions } from "./creating/host-transactions.ts";
import type { Bound } from "./database/bind.ts";
import { Connection, type IdentityCheck, identityCheck, type PostgresTransaction, session } from "./database/connection.ts";
import { listenForErrors, wrapError } from "./database/errors.ts";
import { openPool } from "./database/open-pool.ts";
import { PostgresDatabase } from "./database/postgres-database.ts";
import { Replica } from "./database/replica.ts";
import { type DatabaseSource, requireSource } from "./database/source.ts";
import { postgresSql } from "./database/sql.ts";
import { statement, storageTime } from "./database/statement.ts";
import { tableNames } from "./database/table-names.ts";
import { postgresDigests } from "./delivery/digests.ts";
import { postgresDeliveries } from "./delivery/postgres-deliveries.ts";
import { postgresHub } from "./hub/postgres-hub.ts";
import { postgresInbox } from "./inbox/postgres-inbox.ts";
import { replicaInboxes } from "./inbox/replica-inbox.ts";
import { Announcements } from "./listen-notify/announcements.ts";
import { PostgresTransport } from "./listen-notify/postgres-transport.ts";
import { MIGRATIONS } from "./migrations/index.ts";
import { migrationStep, openTables } from "./migrations/migrate.ts";
import { postgresActivity } from "./operator/postgres-activity.ts";
import { postgresHealth } from "./operator/postgres-health.ts";
import { partitionUpkeep } from "./partitions/upkeep.ts";
import {
  DEFAULT_MAX_LAG_MS,
  DEFAULT_POOL_SIZE,
  DEFAULT_SCHEMA,
  POSTGRES_OPTIONS,
  type PostgresStorageOptions,
  QUERY_TIMEOUT_MS,
  REPLICA_OPTIONS,
  type ReplicaOptions,
} from "./postgres-options.ts";
import { postgresPresence } from "./realtime/presence.ts";

/**
 * Keeps Belfry's data in PostgreSQL: through a pg pool of the host, the pool behind its drizzle database, or a pool of
 * its own to a connection string. Nothing is connected before the storage is first used.
 *
 * A pool that is passed in is never closed. Belfry listens for its errors: a pool that nobody listens to ends the
 * process when it loses an idle connection.
 *
 * @param source a pg pool, a drizzle database over one, or a connection string
 * @throws BelfryError `CONFIGURATION` for anything else
 *
 * @example
 * ```ts
 * const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
 * const notifications = new NotificationService({ storage: postgresStorage(pool) });
 * ```
 */
export function postgresStorage(source: DatabaseSource, options: PostgresStorageOptions = {}): PostgresStorage {
  const pool = requireSource("postgresStorage", source);
  checkOptions("postgresStorage", options, POSTGRES_OPTIONS);
  if (options.replica !== undefined) {
    checkOptions(REPLICA, options.replica, REPLICA_OPTIONS);
    requireSource(REPLICA, options.replica.database);
  }
  return new PostgresStorage(pool, options);
}

/** The option, in the words of its errors. */
const REPLICA = "The option replica of postgresStorage";

const ping = statement<[number]>("ping", "SELECT 1");

/** The parts that exist while the storage is open. */
interface OpenStorage {
  readonly pool: Pool;
  readonly connection: Connection;
  readonly hostTransactions: HostTransactions;
  readonly replica: Replica | null;
  /** What changes the tables in the background: migrations that were left to do, and partitions. */
  readonly upkeep: readonly Pick<LaterMigrations, "stop">[];
}

/** A storage in PostgreSQL, as {@link postgresStorage} makes it. */
export class PostgresStorage implements Storage<PostgresTransaction, Promise<void>> {
  readonly name = "postgres";
  readonly version = 1;
  readonly hasSingleProcess = false;
  readonly inbox: InboxStorage<PostgresTransaction, Promise<void>>;
  readonly deliveries: DeliveryStorage<PostgresTransaction, Promise<void>>;
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
  readonly broadcasts: BroadcastStorage<PostgresTransaction, Promise<void>>;
  readonly presence: PresenceStorage;
  readonly replica: ReplicaStorage;
  readonly database: StorageDatabase;
  readonly #source: string | Pool;
  readonly #options: Required<Omit<PostgresStorageOptions, "replica">>;
  readonly #replica: ReplicaOptions | null;
  readonly #announcements: Announcements;
  readonly #migrations: readonly Migration[];
  #opening: Promise<void> | null = null;
  #open: OpenStorage | null = null;

  /** @param migrations this package's migrations; only tests pass others */
  constructor(source: string | Pool, options: PostgresStorageOptions, migrations: readonly Migration[] = MIGRATIONS) {
    this.#source = source;
    this.#migrations = migrations;
    this.#replica = options.replica ?? null;
    this.#options = {
      schema: options.schema ?? DEFAULT_SCHEMA,
      migrate: options.migrate ?? true,
      poolSize: options.poolSize ?? DEFAULT_POOL_SIZE,
      preparedStatements: options.preparedStatements ?? true,
      time: options.time ?? "database",
      logger: options.logger ?? consoleLogger,
    };
    const { schema, logger } = this.#options;
    this.database = new PostgresDatabase({ source, schema, migrations, logger, current: () => this.#open?.pool ?? null });
    this.#announcements = new Announcements(this.#options.schema);
    const tables = tableNames(this.#options.schema);
    const bound: Bound = { tables, time: storageTime(this.#options.time), current: () => this.#current() };
    const hostTransactions = () => this.#current().hostTransactions;
    const sql = postgresSql(bound);
    this.inbox = postgresInbox(bound, { sql, announcements: this.#announcements, hostTransactions });
    this.deliveries = postgresDeliveries(bound, { sql, hostTransactions });
    this.activity = postgresActivity(bound, sql);
    this.apiKeys = apiKeyStorage(sql);
    this.socketTickets = socketTicketStorage(sql);
    this.decisions = decisionsStorage(sql);
    this.devices = devicesStorage(sql);
    this.holds = holdsStorage(sql);
    this.health = postgresHealth(bound, sql);
    this.retryRuns = retryRunStorage(sql);
    this.alarms = alarmStorage(sql);
    this.suppressions = suppressionsStorage(sql);
    this.topics = postgresTopics(bound, sql);
    this.digests = postgresDigests(bound, sql);
    this.broadcasts = postgresBroadcasts(bound, { sql, hostTransactions });
    this.hub = postgresHub(bound, sql);
    this.presence = postgresPresence(bound);
    this.replica = replicaInboxes(tables, () => this.#current().replica);
  }

  /**
   * Connects and, unless told not to, migrates. Does nothing if it is open.
   *
   * @throws BelfryError `CONFIGURATION` if the tables are not those of this package, or if the pool has `binary: true`;
   *   `STORAGE_UNAVAILABLE` or `STORAGE_FAILED` if PostgreSQL does not do it
   */
  open(): Promise<void> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = null;
      throw wrapError(error);
    });
    return this.#opening;
  }

  /** Runs a statement on one of the pool's connections. */
  async ping(timeoutMs: number): Promise<void> {
    try {
      await session(this.#current().pool, { prepared: false, timeoutMs }).rows(ping, []);
    } catch (error) {
      throw wrapError(error);
    }
  }

  /** Closes what {@link open} opened, once its statements are done; a pool that the host passed in stays open. */
  async close(): Promise<void> {
    // A failed open has nothing to close, and its caller got the error.
    await this.#opening?.catch(() => undefined);
    this.#opening = null;
    const open = this.#open;
    this.#open = null;
    await Promise.all((open?.upkeep ?? []).map((one) => one.stop()));
    await open?.replica?.close();
    if (open && typeof this.#source === "string") {
      await open.pool.end();
    }
  }

  /**
   * Carries signals between all processes on this database, over LISTEN and NOTIFY. Its listening connection is its own,
   * made with the pool's settings.
   */
  transport(): Transport {
    return new PostgresTransport(this.#source, {
      schema: this.#options.schema,
      logger: this.#options.logger,
      announcements: this.#announcements,
      preparedStatements: this.#options.preparedStatements,
      pool: () => this.#open?.pool ?? null,
    });
  }

  async #connect(): Promise<void> {
    const { schema, preparedStatements, logger } = this.#options;
    const pool = typeof this.#source === "string" ? openPool(this.#source, this.#options.poolSize) : this.#source;
    listenForErrors(pool, logger);
    try {
      const run = { prepared: preparedStatements, timeoutMs: QUERY_TIMEOUT_MS };
      const connection = new Connection(pool, run);
      const tables = tableNames(schema);
      const target = { schema, migrations: this.#migrations };
      const isMoreToDo = await openTables(pool, target, this.#options.migrate);
      const identity = await identityCheck(connection);
      const hostTransactions = new HostTransactions({
        connection,
        tables,
        identity,
        // The host decides how long its own connection waits for locks.
        run: { ...run, timeoutMs: 0 },
        logger,
        announcements: this.#announcements,
      });
      const migrating = isMoreToDo ? [new LaterMigrations({ step: (signal) => migrationStep(pool, target, { signal }), logger })] : [];
      const partitioning = this.#options.migrate ? [partitionUpkeep({ pool, schema, logger })] : [];
      this.#open = {
        pool,
        connection,
        hostTransactions,
        upkeep: [...migrating, ...partitioning],
        replica: this.#replicaOf(connection, identity),
      };
    } catch (error) {
      if (typeof this.#source === "string") {
        await pool.end();
      }
      throw error;
    }
  }

  #replicaOf(primary: Connection, identity: IdentityCheck): Replica | null {
    if (this.#replica === null) {
      return null;
    }
    const { poolSize, preparedStatements: prepared, logger } = this.#options;
    const { database, maxLagMs = DEFAULT_MAX_LAG_MS } = this.#replica;
    return new Replica({ source: requireSource(REPLICA, database), primary, identity, maxLagMs, poolSize, prepared, logger });
  }

  #current(): OpenStorage {
    if (this.#open === null) {
      throw new BelfryError("STORAGE_UNAVAILABLE", "The PostgreSQL storage is not open. Await its open() first.");
    }
    return this.#open;
  }
}
