import type { Logger } from "@belfry/core";
import pg, { type Client, type ClientConfig } from "pg";
import { type Session, session } from "../database/connection.ts";
import { quoteIdentifier } from "../database/table-names.ts";

/** How a listening connection is kept up. */
export interface ListeningOptions {
  readonly config: ClientConfig;
  readonly channel: string;
  readonly logger: Logger;
  /** Whether the connection keeps what it sends with prepared. */
  readonly preparedStatements: boolean;
  /** How often the connection is tried, and how long an answer may take. A peer that vanished says nothing by itself. */
  readonly heartbeatMs: number;
  onPayload(payload: string): void;
  /** The connection was lost and is back; what was sent meanwhile is lost. */
  onRebuilt(): void;
}

const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 5_000;

/**
 * A connection of its own that listens on one channel.
 *
 * ```
 * closed ──open──> connecting ──> open ──lost, or no answer to a heartbeat──> waiting
 *    ^                  ^                                                       │
 *    └──close, any time └───────────── after 50 ms, doubling up to 5 s ─────────┘
 * ```
 */
export class ListeningConnection {
  readonly #options: ListeningOptions;
  #client: Client | null = null;
  #session: Session | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ListeningOptions) {
    this.#options = options;
  }

  /** The sender on this connection; null while it is down. */
  get session(): Session | null {
    return this.#session;
  }

  /** Connects and listens; rejects with the driver's error if that fails. To be called once. */
  async open(): Promise<void> {
    const { config, channel, preparedStatements, heartbeatMs } = this.#options;
    const client = new pg.Client(config);
    this.#client = client;
    // Also while connecting, and after it was given up: an error nobody listens for ends the process.
    client.on("error", (error) => this.#lost(client, error));
    client.on("end", () => this.#lost(client));
    client.on("notification", ({ payload = "" }) => this.#options.onPayload(payload));
    try {
      await client.connect();
      await client.query(`LISTEN ${quoteIdentifier(channel)}`);
    } catch (error) {
      this.#client = null;
      destroy(client);
      throw error;
    }
    if (this.#isClosed || this.#client !== client) {
      destroy(client);
      throw new Error("Connection terminated while it began to listen");
    }
    this.#session = session(client, { prepared: preparedStatements, timeoutMs: heartbeatMs });
    this.#beat(client);
  }

  /** Ends the connection for good. Idempotent. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = null;
    this.#session = null;
    if (client) {
      destroy(client);
    }
  }

  #beat(client: Client): void {
    const { heartbeatMs } = this.#options;
    this.#after(heartbeatMs, () => {
      const answered = client.query({ text: "SELECT 1", query_timeout: heartbeatMs } as pg.QueryConfig);
      answered.then(
        () => {
          if (this.#client === client) {
            this.#beat(client);
          }
        },
        (error: unknown) => this.#lost(client, error),
      );
    });
  }

  #lost(client: Client, error?: unknown): void {
    if (this.#client !== client || this.#session === null) {
      // It was given up already, or never came up: then open() rejects.
      return;
    }
    this.#client = null;
    this.#session = null;
    clearTimeout(this.#timer);
    destroy(client);
    this.#options.logger.warn({ error }, "Belfry lost its listening connection to PostgreSQL and builds another.");
    this.#retry(MIN_RETRY_MS);
  }

  #retry(delayMs: number): void {
    // Not all processes at the same moment.
    this.#after(delayMs * (0.5 + Math.random() / 2), () => {
      this.open().then(
        () => this.#options.onRebuilt(),
        (error: unknown) => {
          if (!this.#isClosed) {
            this.#options.logger.debug({ error }, "Belfry could not rebuild its listening connection to PostgreSQL; it tries again.");
            this.#retry(Math.min(delayMs * 2, MAX_RETRY_MS));
          }
        },
      );
    });
  }

  #after(delayMs: number, task: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(task, delayMs);
    this.#timer.unref();
  }
}

/** Ends a connection without waiting for a peer that may be gone. */
function destroy(client: Client): void {
  const { connection } = client as Client & { readonly connection?: { readonly stream?: { destroy(): void } } };
  client.end().catch(() => undefined);
  connection?.stream?.destroy();
}
