import { type Logger, systemClock } from "@belfry/core";
import { Loop } from "@belfry/core/storage";
import type { Redis } from "ioredis";
import { reasonOf } from "./contact.ts";
import type { Refusals } from "./refusals.ts";

/** Hears channels of sharded pub/sub. */
export interface Hearer {
  /** Resolves once the channel is heard; if Redis cannot be reached, at once: `onHearing` follows. It never rejects. */
  hear(channel: string): Promise<void>;
  leave(channel: string): void;
  /** Begins to connect, and goes on trying until {@link close}. */
  open(): void;
  close(): void;
}

/** What a {@link Hearer} tells of, and how it works. */
export interface HearerListener {
  readonly logger: Logger;
  /** Watches each connection. */
  readonly refusals: Refusals;
  /** How often each connection is tested. */
  readonly heartbeatMs: number;
  onPayload(payload: string): void;
  /** @param reason why, if it was said */
  onLost(reason: string | null): void;
  /**
   * Channels are heard, for the first time or again. What was sent to them before is lost.
   *
   * @param isAll whether no other channel is lost
   */
  onHearing(isAll: boolean): void;
}

/** The parts of a {@link Subscriber}. */
export interface SubscriberOptions extends HearerListener {
  /** Makes a client that is not connected yet. */
  connection(): Redis;
  /** So many channels are named in one command. */
  readonly channelsAtOnce: number;
  /** The server of a cluster has given channels to another one. */
  onMoved?(): void;
}

/** Hears channels from one server. Its client builds lost connections anew; this names the channels again then. */
export class Subscriber implements Hearer {
  readonly #options: SubscriberOptions;
  /** The channels to hear, with whether the client was told each since it was lost. */
  readonly #channels = new Map<string, boolean>();
  readonly #heartbeat: Loop;
  #client: Redis | null = null;
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

  open(): void {
    const { connection, onPayload, onMoved, heartbeatMs, refusals } = this.#options;
    const client = connection();
    refusals.watch(client);
    this.#client = client;
    client.on("smessage", (_channel: string, payload: string) => onPayload(payload));
    // An error that nobody listens for ends the process.
    client.on("error", (error: unknown) => this.#failed(client, error));
    client.on("close", () => this.#lost(client));
    client.on("ready", () => void this.#tellAll(client));
    client.on("moved", () => onMoved?.());
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

  async #tellAll(client: Redis): Promise<void> {
    const missing = [...this.#channels].filter(([, isTold]) => !isTold).map(([channel]) => channel);
    if ((await this.#tell(client, missing)) && this.#client === client && client.status === "ready") {
      this.#reason = null;
      this.#isRefused = false;
      this.#options.onHearing(true);
    }
  }

  /** Has Redis send channels. Whether it does; if not, it is told again when the connection is back or tested. */
  async #tell(client: Redis, channels: readonly string[]): Promise<boolean> {
    const { channelsAtOnce: size } = this.#options;
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
  async #name(client: Redis, channels: readonly string[]): Promise<void> {
    await client.ssubscribe(...channels);
    for (const channel of channels.filter((one) => this.#channels.has(one))) {
      this.#channels.set(channel, true);
    }
  }

  /** The connection may stand all the same: the channels are named again at the next test of it. */
  #refused(client: Redis, error: unknown): void {
    this.#reason = reasonOf(error) ?? this.#reason;
    if (this.#client === client) {
      this.#isRefused = true;
      this.#options.onLost(this.#reason);
    }
  }

  #failed(client: Redis, error: unknown): void {
    this.#reason = reasonOf(error) ?? this.#reason;
    // An error of a connection comes before its end.
    if (client.status !== "ready") {
      this.#lost(client);
    }
  }

  #lost(client: Redis): void {
    if (this.#client === client) {
      this.#forgetTold();
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
      await client.ping();
      if (this.#isRefused) {
        await this.#tellAll(client);
      }
    }
    return this.#options.heartbeatMs;
  }
}
