import { randomUUID } from "node:crypto";
import { BelfryError, consoleLogger, type Logger, systemClock } from "@belfry/core";
import type { RateLimiter, SocketCounts } from "@belfry/core/http";
import {
  feedOf,
  isFrom,
  type PresenceStorage,
  packSignals,
  type Signal,
  SignalSender,
  type Transport,
  type TransportListener,
  unpackSignals,
} from "@belfry/core/storage";
import { Cluster } from "ioredis";
import { ClusterSubscriber } from "./cluster-subscriber.ts";
import { settingsOf } from "./connection-settings.ts";
import { Contact, isRefusal, reasonOf } from "./contact.ts";
import { RedisPresence } from "./presence.ts";
import { limiterOver, type RedisLimit } from "./rate-limiter.ts";
import { checkRedisOptions, DEFAULT_HEARTBEAT_MS, DEFAULT_PREFIX, DEFAULT_SHARDS, type RedisTransportOptions } from "./redis-options.ts";
import { type ConnectionSettings, type MakeClient, type RedisClient, type RedisSource, readSource } from "./redis-source.ts";
import { Refusals } from "./refusals.ts";
import { SendingConnection } from "./sending-connection.ts";
import { Shards } from "./shards.ts";
import { RedisSocketCounts } from "./socket-counts.ts";
import { type Hearer, type HearerListener, Subscriber } from "./subscriber.ts";

const POLL_INTERVAL_MS = 1_000;

/** So many bytes of signals are one message at the most. */
const MAX_BYTES = 65_536;

/** How long a start waits for Redis, before it goes on without. */
const START_TIMEOUT_MS = 3_000;
/** How long a stop waits for the last signals to go out. */
const STOP_TIMEOUT_MS = 1_000;

/** So many channels are named to one server in one command. */
const CHANNELS_AT_ONCE = 500;

/** The channel that every process hears. */
const FOR_ALL = "all";

/** A transport over Redis, as {@link redisTransport} makes it. */
export interface RedisTransport extends Transport {
  readonly presence: PresenceStorage;
  follow(feed: string): Promise<void>;
  unfollow(feed: string): void;
  /**
   * Makes a limiter that counts over all instances, for the options `rateLimiter` and `badCredentialLimiter` of a handler. While Redis cannot be
   * reached, and before the service has started, each process counts by itself.
   *
   * @throws BelfryError `CONFIGURATION` for terms that cannot be taken
   *
   * @example
   * ```ts
   * expressBelfry(notifications, { contracts, badCredentialLimiter: redis.rateLimiter({ name: "bad", limit: 100 }) });
   * ```
   */
  rateLimiter(limit: RedisLimit): RateLimiter;
  /**
   * Makes a counter of open WebSockets and streams over all instances, for the option `socketCounts` of a handler; each handler needs its own. While
   * Redis cannot be reached, each process counts by itself.
   *
   * @example
   * ```ts
   * expressBelfry(notifications, { contracts, maxSocketsPerAddress: 1_000, socketCounts: redis.socketCounts() });
   * ```
   */
  socketCounts(): SocketCounts;
}

/**
 * Carries signals between processes over Redis 7 or newer, or Valkey: each process hears only of the inboxes and sources that somebody follows
 * there. Who is connected where is in Redis, too. Everything in it may be lost at any time: the database is the truth, and processes look at it
 * once a second for what they did not hear of.
 *
 * @param source where Redis is; a client of ioredis is not used itself, only its settings
 * @throws BelfryError `CONFIGURATION` for an address or option that cannot be taken
 *
 * @example
 * ```ts
 * const redis = redisTransport(process.env.REDIS_URL);
 * const notifications = new NotificationService({ storage: postgresStorage(pool), transport: redis });
 * ```
 */
export function redisTransport(source: RedisSource, options: RedisTransportOptions = {}): RedisTransport {
  const makeClient = readSource(source);
  checkRedisOptions(options);
  return new OverRedis(makeClient, options);
}

class OverRedis implements RedisTransport {
  readonly pollIntervalMs = POLL_INTERVAL_MS;
  readonly presence: PresenceStorage;
  readonly #prefix: string;
  readonly #logger: Logger;
  readonly #id = randomUUID().slice(0, 13);
  readonly #contact: Contact;
  readonly #sending: SendingConnection;
  readonly #hearer: Hearer;
  readonly #sender: SignalSender;
  readonly #shards: Shards;
  readonly #counts: RedisSocketCounts[] = [];
  #listener: TransportListener | null = null;
  #starting: Promise<void> | null = null;
  /** A start that waits for Redis. */
  #waiting: PromiseWithResolvers<void> | null = null;

  constructor(makeClient: MakeClient, options: RedisTransportOptions) {
    const { prefix = DEFAULT_PREFIX, shards = DEFAULT_SHARDS, heartbeatMs = DEFAULT_HEARTBEAT_MS, logger = consoleLogger } = options;
    this.#prefix = prefix;
    this.#logger = logger;
    this.#contact = new Contact(logger);
    const settings = settingsOf(heartbeatMs);
    const client = makeClient({ ...settings, connectionName: "belfry", commandTimeout: heartbeatMs });
    const refusals = new Refusals(prefix, logger);
    refusals.watch(client);
    this.#sending = new SendingConnection(client, {
      onLost: (reason) => this.#sendingLost(reason),
      onNodeLost: (reason) => this.#refuse(reason),
      onReady: () => {
        this.#contact.back("send");
        this.#sender.flush();
      },
      onSent: () => this.#contact.back("send"),
    });
    const listening = { ...settings, connectionName: "belfry-listen", commandTimeout: undefined };
    this.#hearer = hearerOf(client, listening, {
      logger,
      refusals,
      heartbeatMs,
      onPayload: (payload) => this.#receive(payload),
      onLost: (reason) => this.#lost(reason),
      onHearing: (isAll) => this.#hearing(isAll),
    });
    this.#sender = new SignalSender({ send: (signals) => this.#send(signals), logger });
    this.#shards = new Shards(shards, {
      hear: (shard) => this.#hearer.hear(this.#channelOf(shard)),
      leave: (shard) => this.#hearer.leave(this.#channelOf(shard)),
    });
    void this.#hearer.hear(this.#channelOf(FOR_ALL));
    this.presence = new RedisPresence(this.#sending.client, prefix);
  }

  /**
   * Resolves once signals arrive, or once Redis could not be reached for 3 seconds: it goes on trying, and says so in the log.
   *
   * @throws BelfryError `CONFIGURATION` if Redis refuses who asks, or does not know sharded pub/sub, or if another service has started it
   */
  async start(listener: TransportListener): Promise<void> {
    if (this.#starting !== null && this.#listener !== listener) {
      throw new BelfryError("CONFIGURATION", "A redisTransport is one service's alone. Make another one for each service.");
    }
    this.#starting ??= this.#start(listener);
    await this.#starting;
  }

  publish(signals: readonly Signal[]): void {
    this.#tell((listener) => listener.onSignals(signals));
    this.#sender.add(signals);
  }

  follow(feed: string): Promise<void> {
    return this.#shards.follow(feed);
  }

  unfollow(feed: string): void {
    this.#shards.unfollow(feed);
  }

  rateLimiter(limit: RedisLimit): RateLimiter {
    return limiterOver(this.#sending.client, this.#prefix, limit);
  }

  socketCounts(): SocketCounts {
    const counts = new RedisSocketCounts({ client: this.#sending.client, prefix: this.#prefix, logger: this.#logger });
    this.#counts.push(counts);
    return counts;
  }

  async stop(): Promise<void> {
    this.#starting = null;
    this.#listener = null;
    this.#waiting?.resolve();
    const last = [this.#sender.idle(), ...this.#counts.map((counts) => counts.stop())];
    await Promise.race([Promise.allSettled(last), after(STOP_TIMEOUT_MS)]);
    this.#hearer.close();
    await Promise.race([this.#sending.close(), after(STOP_TIMEOUT_MS)]);
    this.#contact.forget();
  }

  async #start(listener: TransportListener): Promise<void> {
    const waiting = Promise.withResolvers<void>();
    this.#waiting = waiting;
    this.#listener = listener;
    this.#hearer.open();
    for (const counts of this.#counts) {
      counts.start();
    }
    const connected = this.#sending.open().catch((error: unknown) => this.#sendingLost(reasonOf(error)));
    const late = Promise.withResolvers<void>();
    const forget = systemClock.after(START_TIMEOUT_MS, late.resolve);
    try {
      await Promise.race([Promise.all([waiting.promise, connected]), late.promise]);
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      forget();
      this.#waiting = null;
    }
  }

  #sendingLost(reason: string | null): void {
    if (this.#starting !== null) {
      this.#contact.lost("send", reason);
    }
  }

  #lost(reason: string | null): void {
    this.#refuse(reason);
    this.#contact.lost("listen", reason);
  }

  /** Ends a start that Redis refuses. */
  #refuse(reason: string | null): void {
    if (reason !== null && isRefusal(reason)) {
      const refusal = `Redis refuses Belfry, which needs Redis 7 or newer, a user who may use sharded pub/sub and, of a cluster, several nodes: ${reason}`;
      this.#waiting?.reject(new BelfryError("CONFIGURATION", refusal));
    }
  }

  #hearing(isAll: boolean): void {
    if (isAll) {
      this.#contact.back("listen");
      this.#waiting?.resolve();
    }
    if (this.#waiting === null) {
      this.#tell((listener) => listener.onGap());
    }
  }

  #receive(payload: string): void {
    // Listeners got our own when they were published.
    const received = isFrom(this.#id, payload) ? null : unpackSignals(payload);
    if (received !== null) {
      const { signals } = received;
      this.#tell((listener) => (signals === "gap" ? listener.onGap() : listener.onSignals(signals)));
    }
  }

  #tell(tell: (listener: TransportListener) => void): void {
    if (this.#listener === null) {
      return;
    }
    try {
      tell(this.#listener);
    } catch (error) {
      this.#logger.error({ error }, "A listener of Belfry's Redis transport threw an error.");
    }
  }

  /** Sends each signal to those who hear its shard. One node of a cluster that is away loses its own; receivers look at the database. */
  async #send(signals: readonly Signal[] | "gap"): Promise<void> {
    const byChannel = signals === "gap" ? new Map([[this.#channelOf(FOR_ALL), signals]]) : this.#byChannel(signals);
    await this.#sending.publish(
      [...byChannel].flatMap(([channel, some]) =>
        packSignals({ sender: this.#id, signals: some }, MAX_BYTES).map((payload) => [channel, payload] as const),
      ),
    );
  }

  #byChannel(signals: readonly Signal[]): ReadonlyMap<string, readonly Signal[]> {
    return Map.groupBy(signals, (signal) => {
      const feed = feedOf(signal);
      return this.#channelOf(feed === null ? FOR_ALL : this.#shards.shardOf(feed));
    });
  }

  #channelOf(shard: number | typeof FOR_ALL): string {
    return `${this.#prefix}:${shard}`;
  }
}

function after(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}

function hearerOf(client: RedisClient, settings: ConnectionSettings, listener: HearerListener): Hearer {
  if (client instanceof Cluster) {
    return new ClusterSubscriber({ ...listener, cluster: client, settings });
  }
  const connection = () => client.duplicate({ ...settings, lazyConnect: true });
  return new Subscriber({ ...listener, connection, channelsAtOnce: CHANNELS_AT_ONCE });
}
