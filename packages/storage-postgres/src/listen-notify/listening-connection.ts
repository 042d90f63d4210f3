import { type Logger, systemClock } from "@belfry/core";
import { Loop, type NextRun } from "@belfry/core/storage";
import pg, { type Client, type ClientConfig } from "pg";
import { type Session, session } from "../database/connection.ts";
import { quoteIdentifier } from "../database/table-names.ts";
import { CONNECTION_TIMEOUT_MS } from "../postgres-options.ts";

/** How a listening connection is kept up. */
export interface ListeningOptions {
  readonly config: ClientConfig;
  /** What it listens to from the beginning. */
  readonly channels: readonly string[];
  readonly logger: Logger;
  /** Whether the connection keeps its send statement prepared. */
  readonly preparedStatements: boolean;
  /** How often to test the connection, and how long an answer may take. A peer that vanished says nothing by itself. */
  readonly heartbeatMs: number;
  onPayload(payload: string): void;
  /** The connection was lost and is back; what was sent meanwhile is lost. */
  onRebuilt(): void;
}

const MIN_RETRY_MS = 50;
const MAX_RETRY_MS = 5_000;
const DONE = Promise.resolve();

/** Where a {@link ListeningConnection} stands; its own documentation has the transitions. */
export type ListeningMode = "closed" | "connecting" | "open" | "lost" | "waiting";

/**
 * A separate connection that listens on channels. A {@link Loop} tests it from time to time, and rebuilds it.
 *
 * | from         | event                                          | to           |
 * | ------------ | ---------------------------------------------- | ------------ |
 * | `closed`     | open                                           | `connecting` |
 * | `connecting` | it listens                                     | `open`       |
 * | `connecting` | it could not be made by open, which rejects    | `closed`     |
 * | `connecting` | it could not be built anew                     | `lost`       |
 * | `open`       | it ended, or did not answer a heartbeat        | `lost`       |
 * | `lost`       | the loop runs                                  | `waiting`    |
 * | `waiting`    | 50 ms have passed, doubling up to 5 s          | `connecting` |
 * | any          | close                                          | `closed`     |
 */
export class ListeningConnection {
  readonly #options: ListeningOptions;
  readonly #keeping: Loop;
  readonly #wanted: Set<string>;
  /** What the connection listens to, or is about to, and when it does. */
  #heard = new Map<string, Promise<void>>();
  #mode: ListeningMode = "closed";
  #client: Client | null = null;
  #session: Session | null = null;
  #retryMs = MIN_RETRY_MS;

  constructor(options: ListeningOptions) {
    this.#options = options;
    this.#wanted = new Set(options.channels);
    const { logger } = options;
    this.#keeping = new Loop({ task: "keep its listening connection", run: () => this.#keep(), clock: systemClock, logger });
  }

  get mode(): ListeningMode {
    return this.#mode;
  }

  /** The sender on this connection; null while it is down. */
  get session(): Session | null {
    return this.#session;
  }

  /** Connects and listens; rejects with the driver's error if that fails. Call it once. */
  async open(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      this.#mode = "closed";
      throw error;
    }
    this.#keeping.wakeIn(this.#options.heartbeatMs);
  }

  /**
   * Listens on one more channel. Resolves once it is heard; if the connection is lost, at once: the channel is heard when it is back.
   * It never rejects.
   */
  listen(channel: string): Promise<void> {
    this.#wanted.add(channel);
    const client = this.#client;
    if (client === null || this.#mode !== "open") {
      return DONE;
    }
    const known = this.#heard.get(channel);
    if (known !== undefined) {
      return known;
    }
    const heard = this.#ask(client, listenText([channel]));
    this.#heard.set(channel, heard);
    return heard;
  }

  /** Listens on a channel no longer, from its next heartbeat on: until then, somebody may want it again. */
  unlisten(channel: string): void {
    this.#wanted.delete(channel);
  }

  /** Ends the connection for good. Idempotent. */
  close(): void {
    this.#drop("closed");
    void this.#keeping.stop();
  }

  async #connect(): Promise<void> {
    const { config, preparedStatements, heartbeatMs } = this.#options;
    const client = new pg.Client(config);
    // A peer may vanish once it has let the client in.
    const { connectionTimeoutMillis: timeoutMs = CONNECTION_TIMEOUT_MS } = config;
    const channels = [...this.#wanted];
    const listen = { text: listenText(channels), query_timeout: timeoutMs };
    this.#mode = "connecting";
    this.#client = client;
    // Also while connecting, and after it was given up: an error nobody listens for ends the process.
    client.on("error", (error) => this.#lost(client, error));
    client.on("end", () => this.#lost(client));
    client.on("notification", ({ payload = "" }) => this.#options.onPayload(payload));
    // The driver does not answer a client that is given up while it connects.
    const ended = new Promise<never>((_, reject) => {
      client.once("end", () => reject(new Error("Connection terminated while it began to listen")));
    });
    try {
      await Promise.race([client.connect().then(() => client.query(listen as pg.QueryConfig)), ended]);
    } catch (error) {
      destroy(client);
      throw error;
    }
    if (this.#client !== client) {
      throw new Error("Connection terminated when it had begun to listen");
    }
    this.#mode = "open";
    this.#session = session(client, { prepared: preparedStatements, timeoutMs: heartbeatMs });
    this.#heard = new Map(channels.map((channel) => [channel, DONE]));
    // Those that were asked for meanwhile.
    await Promise.all([...this.#wanted].map((channel) => this.listen(channel)));
  }

  /** Does what the mode asks for, and answers when to look again. */
  async #keep(): Promise<NextRun> {
    const { heartbeatMs, logger, onRebuilt } = this.#options;
    const client = this.#client;
    if (this.#mode === "open" && client !== null) {
      await this.#ask(client, this.#leave() || "SELECT 1");
    } else if (this.#mode === "lost") {
      this.#mode = "waiting";
      // Spreads the retries of the processes.
      return this.#retryMs * (0.5 + Math.random() / 2);
    } else if (this.#mode === "waiting") {
      try {
        await this.#connect();
        this.#retryMs = MIN_RETRY_MS;
        onRebuilt();
      } catch (error) {
        if (!this.#keeping.isStopping) {
          logger.debug({ error }, "Belfry could not rebuild its listening connection to PostgreSQL; it tries again.");
          this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
          this.#drop("lost");
          this.#keeping.wake();
        }
      }
    }
    return heartbeatMs;
  }

  /** Has the server do something. A connection that does not answer in time is lost. */
  async #ask(client: Client, text: string): Promise<void> {
    try {
      await client.query({ text, query_timeout: this.#options.heartbeatMs } as pg.QueryConfig);
    } catch (error) {
      this.#lost(client, error);
    }
  }

  /** The statements that leave the channels which nobody wants any more; empty for none. */
  #leave(): string {
    const left = [...this.#heard.keys()].filter((channel) => !this.#wanted.has(channel));
    for (const channel of left) {
      this.#heard.delete(channel);
    }
    return left.map((channel) => `UNLISTEN ${quoteIdentifier(channel)}`).join("; ");
  }

  #lost(client: Client, error?: unknown): void {
    // Else it was given up already, or it never came up and the attempt to connect fails.
    if (this.#client === client && this.#mode === "open") {
      this.#drop("lost");
      this.#options.logger.warn({ error }, "Belfry lost its listening connection to PostgreSQL and builds another.");
      this.#keeping.wake();
    }
  }

  #drop(mode: "closed" | "lost"): void {
    const client = this.#client;
    this.#mode = mode;
    this.#client = null;
    this.#session = null;
    if (client) {
      destroy(client);
    }
  }
}

function listenText(channels: readonly string[]): string {
  return channels.map((channel) => `LISTEN ${quoteIdentifier(channel)}`).join("; ");
}

/** Ends a connection without waiting for a peer that may be gone. */
function destroy(client: Client): void {
  const { connection } = client as Client & { readonly connection?: { readonly stream?: { destroy(): void } } };
  client.end().catch(() => undefined);
  connection?.stream?.destroy();
}
