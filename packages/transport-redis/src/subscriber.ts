import { type Logger, systemClock } from "@belfry/core";
import { Loop } from "@belfry/core/storage";
import type { Cluster } from "ioredis";
import { reasonOf } from "./contact.ts";
import type { RedisClient } from "./redis-source.ts";

/** What a {@link Subscriber} tells of. */
export interface SubscriberOptions {
  /** Makes a client that is not connected yet. */
  connection(): RedisClient;
  readonly logger: Logger;
  /** How often the connection is tested. */
  readonly heartbeatMs: number;
  onPayload(payload: string): void;
  /** @param reason why, if it was said */
  onLost(reason: string | null): void;
  /** It hears all its channels, for the first time or again. What was sent before is lost. */
  onHearing(): void;
}

/** So many channels are named in one command. */
const AT_ONCE = 500;

/**
 * Hears channels of sharded pub/sub. Its client builds lost connections anew; this names the channels again then. A cluster's client
 * does that by itself for channels that it was told once.
 */
export class Subscriber {
  readonly #options: SubscriberOptions;
  /** The channels to hear, with whether the client was told each since it was lost. */
  readonly #channels = new Map<string, boolean>();
  readonly #heartbeat: Loop;
  #client: RedisClient | null = null;
  /** Whether Redis refused to send channels since it last sent all. */
  #isRefused = false;
  /** Why the last command or connection failed. */
  #reason: string | null = null;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    const { logger, heartbeatMs } = options;
    const task = "test its connection to Redis";
    this.#heartbeat = new Loop({ task, run: () => this.#test(), retryMs: heartbeatMs, level: "debug", clock: systemClock, logger });
  }

  /** Resolves once the channel is heard; if Redis cannot be reached, at once: `onHearing` follows. */
  async hear(channel: string): Promise<void> {
    this.#channels.set(channel, false);
    if (this.#client?.status === "ready") {
      await this.#tell(this.#client, [channel]);
    }
  }

  leave(channel: string): void {
    this.#channels.delete(channel);
    const client = this.#client;
    if (client?.status === "ready") {
      client.sunsubscribe(channel).catch((error: unknown) => this.#failed(client, error));
    }
  }

  /** Begins to connect, and goes on trying until {@link close}. */
  open(): void {
    const { connection, onPayload, heartbeatMs } = this.#options;
    const client = connection();
    this.#client = client;
    client.on("smessage", (_channel: string, payload: string) => onPayload(payload));
    // An error that nobody listens for ends the process.
    client.on("error", (error: unknown) => this.#failed(client, error));
    client.on("close", () => this.#lost(client));
    client.on("ready", () => void this.#tellAll(client));
    if (client.isCluster) {
      client.on("-node", () => this.#lost(client));
      client.on("nodeError", (error: unknown) => this.#failed(client, error));
      client.on("subscribersReady", () => void this.#tellAll(client));
    }
    client.connect().catch((error: unknown) => this.#failed(client, error));
    this.#heartbeat.start();
    this.#heartbeat.wakeIn(heartbeatMs);
  }

  close(): void {
    const client = this.#client;
    this.#client = null;
    void this.#heartbeat.stop();
    this.#forgetTold();
    client?.disconnect();
  }

  async #tellAll(client: RedisClient): Promise<void> {
    const missing = [...this.#channels].filter(([, isTold]) => !isTold).map(([channel]) => channel);
    if ((await this.#tell(client, missing)) && this.#client === client && client.status === "ready") {
      this.#reason = null;
      this.#isRefused = false;
      this.#options.onHearing();
    }
  }

  /** Has Redis send channels. Whether it does; if not, the connection is lost, or a node of the cluster, and it is told again. */
  async #tell(client: RedisClient, channels: readonly string[]): Promise<boolean> {
    // The channels of one command have to be on one node.
    const size = client.isCluster ? 1 : AT_ONCE;
    const groups = Array.from({ length: Math.ceil(channels.length / size) }, (_, at) => channels.slice(at * size, (at + 1) * size));
    const told = await Promise.allSettled(groups.map((group) => this.#name(client, group)));
    for (const result of told) {
      if (result.status === "rejected") {
        this.#refused(client, result.reason);
      }
    }
    return told.every(({ status }) => status === "fulfilled");
  }

  /** Names channels that one command may name. */
  async #name(client: RedisClient, channels: readonly string[]): Promise<void> {
    await client.ssubscribe(...channels);
    for (const channel of channels.filter((one) => this.#channels.has(one))) {
      this.#channels.set(channel, true);
    }
  }

  /** The connection may stand all the same: the channels are named again at the next test of it. */
  #refused(client: RedisClient, error: unknown): void {
    this.#reason = reasonOf(error) ?? this.#reason;
    if (this.#client === client) {
      this.#isRefused = true;
      this.#options.onLost(this.#reason);
    }
  }

  #failed(client: RedisClient, error: unknown): void {
    this.#reason = reasonOf(error) ?? this.#reason;
    // An error of a connection comes before its end.
    if (client.status !== "ready") {
      this.#lost(client);
    }
  }

  #lost(client: RedisClient): void {
    if (this.#client === client) {
      if (!client.isCluster) {
        this.#forgetTold();
      }
      this.#options.onLost(this.#reason);
    }
  }

  #forgetTold(): void {
    for (const channel of this.#channels.keys()) {
      this.#channels.set(channel, false);
    }
  }

  /** A peer that vanished says nothing by itself; the client gives up a connection that leaves this unanswered. */
  async #test(): Promise<number> {
    const client = this.#client;
    if (client?.status === "ready") {
      await (client.isCluster ? testNodes(client as Cluster) : client.ping());
      if (this.#isRefused) {
        await this.#tellAll(client);
      }
    }
    return this.#options.heartbeatMs;
  }
}

async function testNodes(cluster: Cluster): Promise<void> {
  await Promise.all(cluster.nodes("master").map((node) => node.ping()));
}
