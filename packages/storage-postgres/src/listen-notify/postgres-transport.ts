import { randomUUID } from "node:crypto";
import { BelfryError, consoleLogger, type Logger, requireOptions } from "@belfry/core";
import {
  feedOf,
  isFrom,
  packSignals,
  type Signal,
  SignalSender,
  type Transport,
  type TransportListener,
  unpackSignals,
} from "@belfry/core/storage";
import type { ClientConfig, Pool } from "pg";
import { type DrizzlePostgresDatabase, poolOf, session } from "../database/connection.ts";
import { wrapError } from "../database/errors.ts";
import { CONNECTION_TIMEOUT_MS, DEFAULT_SCHEMA } from "../postgres-options.ts";
import { Announcements, MAX_BYTES, notify } from "./announcements.ts";
import { ListeningConnection } from "./listening-connection.ts";

/** How signals are carried over PostgreSQL. */
export interface PostgresTransportOptions {
  /** The PostgreSQL schema of Belfry's tables; processes with different ones do not hear each other. @default "public" */
  readonly schema?: string;
  /** How often the listening connection is tested, and how long it may take to answer, in milliseconds. @default 5_000 */
  readonly heartbeatMs?: number;
  /** Where a lost connection is reported. @default warnings and errors on the console */
  readonly logger?: Logger;
}

const OPTIONS: Readonly<Record<keyof PostgresTransportOptions, true>> = { schema: true, heartbeatMs: true, logger: true };

/** The parts that a storage shares with its transports. */
export interface StorageTransportOptions extends PostgresTransportOptions {
  readonly announcements: Announcements;
  readonly preparedStatements: boolean;
  /** The storage's pool, which sends for a process that does not listen; null while the storage is closed. */
  pool(): Pool | null;
}

const POLL_INTERVAL_MS = 1_000;
const DEFAULT_HEARTBEAT_MS = 5_000;

/** How long a stop waits for the last signals to go out. */
const STOP_TIMEOUT_MS = 1_000;

/**
 * Carries signals between processes over LISTEN and NOTIFY. A storage in PostgreSQL brings its own; this is for a host
 * that listens at another address than it writes to, for example past a pooler that cannot LISTEN.
 *
 * @param source a connection string, or a pg pool or drizzle database whose settings the listening connection takes over
 * @throws BelfryError `CONFIGURATION` for anything else
 *
 * @example
 * ```ts
 * const notifications = new NotificationService({
 *   storage: postgresStorage(process.env.POOLER_URL),
 *   transport: postgresTransport(process.env.DATABASE_URL),
 * });
 * ```
 */
export function postgresTransport(source: string | Pool | DrizzlePostgresDatabase, options: PostgresTransportOptions = {}): Transport {
  const pool = typeof source === "string" ? source : poolOf(source);
  if (pool === null || pool === "") {
    throw new BelfryError(
      "CONFIGURATION",
      "postgresTransport got no database. Pass a connection string, a pg Pool, or a drizzle database over a Pool.",
    );
  }
  requireOptions("postgresTransport", options, OPTIONS);
  if (options.schema !== undefined && typeof options.schema !== "string") {
    throw new BelfryError("CONFIGURATION", `postgresTransport takes schema as the name of one, got a ${typeof options.schema}.`);
  }
  return new PostgresTransport(pool, {
    ...options,
    announcements: new Announcements(options.schema ?? DEFAULT_SCHEMA),
    preparedStatements: true,
    pool: () => (typeof pool === "string" ? null : pool),
  });
}

/** The transport of {@link postgresTransport} and of a storage. */
export class PostgresTransport implements Transport {
  readonly pollIntervalMs = POLL_INTERVAL_MS;
  readonly #source: string | Pool;
  readonly #options: StorageTransportOptions;
  readonly #logger: Logger;
  readonly #id = randomUUID().slice(0, 13);
  readonly #sender: SignalSender;
  #listener: TransportListener | null = null;
  /** The number of feeds that are followed in this process. */
  #followed = 0;
  #connection: ListeningConnection | null = null;
  #starting: Promise<void> | null = null;

  constructor(source: string | Pool, options: StorageTransportOptions) {
    this.#source = source;
    this.#options = options;
    this.#logger = options.logger ?? consoleLogger;
    this.#sender = new SignalSender({ send: (signals) => this.#send(signals), logger: this.#logger });
    options.announcements.attach(this.#id);
  }

  /** Resolves once the listening connection is up; rejects with `STORAGE_UNAVAILABLE` or `STORAGE_FAILED` if it cannot be made. */
  start(listener: TransportListener): Promise<void> {
    this.#starting ??= this.#listen(listener).catch((error: unknown) => {
      this.#starting = null;
      throw wrapError(error);
    });
    return this.#starting;
  }

  async follow(): Promise<void> {
    this.#followed += 1;
    await this.#starting?.catch(() => undefined);
    if (this.#followed > 0) {
      await this.#connection?.listen(this.#options.announcements.feedChannel);
    }
  }

  unfollow(): void {
    this.#followed -= 1;
    if (this.#followed === 0) {
      this.#connection?.unlisten(this.#options.announcements.feedChannel);
    }
  }

  publish(signals: readonly Signal[]): void {
    this.#tell((listener) => listener.onSignals(signals));
    if (!this.#options.announcements.areSent(signals)) {
      this.#sender.add(signals);
    }
  }

  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    this.#starting = null;
    this.#listener = null;
    const connection = this.#connection;
    if (connection) {
      await Promise.race([this.#sender.idle(), new Promise((resolve) => setTimeout(resolve, STOP_TIMEOUT_MS).unref())]);
      this.#connection = null;
      connection.close();
    }
  }

  async #listen(listener: TransportListener): Promise<void> {
    const { channel, feedChannel } = this.#options.announcements;
    const connection = new ListeningConnection({
      config: clientConfig(this.#source),
      channels: this.#followed > 0 ? [channel, feedChannel] : [channel],
      logger: this.#logger,
      preparedStatements: this.#options.preparedStatements,
      heartbeatMs: this.#options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS,
      onPayload: (payload) => this.#receive(payload),
      onRebuilt: () => {
        this.#sender.flush();
        this.#tell((present) => present.onGap());
      },
    });
    await connection.open();
    this.#connection = connection;
    this.#listener = listener;
  }

  #receive(payload: string): void {
    // Listeners got our own when they were published.
    const received = isFrom(this.#id, payload) ? null : unpackSignals(payload);
    if (received === null) {
      return;
    }
    const { signals } = received;
    this.#tell((listener) => (signals === "gap" ? listener.onGap() : listener.onSignals(signals)));
  }

  #tell(tell: (listener: TransportListener) => void): void {
    if (this.#listener === null) {
      return;
    }
    try {
      tell(this.#listener);
    } catch (error) {
      this.#logger.error({ error }, "A listener of Belfry's PostgreSQL transport threw an error.");
    }
  }

  /** Sends over the listening connection, or over the storage's pool if the process does not listen. */
  async #send(signals: readonly Signal[] | "gap"): Promise<void> {
    const pool = this.#connection === null ? this.#options.pool() : null;
    const sending = pool ? session(pool, { prepared: false, timeoutMs: CONNECTION_TIMEOUT_MS }) : this.#connection?.session;
    if (!sending) {
      throw new Error("There is no connection to PostgreSQL at this moment.");
    }
    const { channel, feedChannel } = this.#options.announcements;
    const send = (to: string, sent: readonly Signal[] | "gap") =>
      notify(sending, to, packSignals({ sender: this.#id, signals: sent }, MAX_BYTES));
    if (signals === "gap") {
      return send(channel, signals);
    }
    const ofFeeds = signals.filter((signal) => feedOf(signal) !== null);
    if (ofFeeds.length > 0) {
      await send(feedChannel, ofFeeds);
    }
    if (ofFeeds.length < signals.length) {
      await send(
        channel,
        signals.filter((signal) => feedOf(signal) === null),
      );
    }
  }
}

function clientConfig(source: string | Pool): ClientConfig {
  const common = { application_name: "belfry-listen", keepAlive: true };
  if (typeof source === "string") {
    return { connectionString: source, connectionTimeoutMillis: CONNECTION_TIMEOUT_MS, ...common };
  }
  const { password } = source.options;
  return {
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    ...source.options,
    // pg keeps it out of copies.
    ...(password === undefined ? {} : { password }),
    ...common,
  };
}
