import { systemClock } from "@belfry/core";
import { Cluster, type Redis } from "ioredis";
import { isRefusal, reasonOf } from "./contact.ts";
import type { RedisClient } from "./redis-source.ts";

/** Hears of a {@link SendingConnection}. */
export interface SendingListener {
  /** @param reason why, if it was said */
  onLost(reason: string | null): void;
  /** A node of a cluster cannot be used; others may. */
  onNodeLost(reason: string | null): void;
  /** It is connected, for the first time or again. */
  onReady(): void;
  /** All that was to be sent went out. */
  onSent(): void;
}

/** What is sent to those who hear a channel. */
export type Message = readonly [channel: string, payload: string];

/** So long, nodes of a cluster that do not answer hold up what is for the others. */
const SLOW_MS = 250;

/** What a cluster says that does nothing at all for the moment. */
const DOWN = /CLUSTERDOWN/;

/** The connection for commands. It is built anew by itself when it is lost. */
export class SendingConnection {
  readonly client: RedisClient;
  readonly #listener: SendingListener;

  constructor(client: RedisClient, listener: SendingListener) {
    this.client = client;
    this.#listener = listener;
    // An error that nobody listens for ends the process.
    client.on("error", (error: unknown) => listener.onLost(reasonOf(error)));
    client.on("close", () => listener.onLost(null));
    client.on("node error", (error: unknown) => listener.onNodeLost(reasonOf(error)));
    client.on("+node", () => void this.#openNodes());
    client.on("ready", () => {
      void this.#openNodes();
      listener.onReady();
    });
  }

  /** Connects, unless that is done or under way. */
  async open(): Promise<void> {
    const { client } = this;
    // One that was about to connect again may have been closed.
    if (client.status === "wait" || client.status === "end" || client.status === "reconnecting") {
      await client.connect();
    }
    await this.#openNodes();
  }

  /** A cluster's client connects to a node with the first command for it, and refuses those that come until then: Belfry connects before. */
  async #openNodes(): Promise<void> {
    if (this.client instanceof Cluster && this.client.status === "ready") {
      await Promise.all(this.client.nodes("master").map((node) => this.#openNode(node)));
    }
  }

  async #openNode(node: Redis): Promise<void> {
    const settled = hasSettled(node);
    if (node.status === "wait") {
      node.connect().catch((error: unknown) => this.#listener.onNodeLost(reasonOf(error)));
    }
    await settled;
  }

  /** Resolves once it has ended, so that it can be opened again. */
  async close(): Promise<void> {
    const { client } = this;
    const isOpen = client.status === "ready" || client.status === "connect" || client.status === "connecting";
    const ended = isOpen ? new Promise((resolve) => client.once("end", resolve)) : null;
    client.disconnect();
    await ended;
  }

  /** Sends messages; rejects if none of them may have arrived. A node of a cluster that is away loses its own. */
  async publish(messages: readonly Message[]): Promise<void> {
    const { client } = this;
    if (client.status === "wait") {
      // A process that creates and does not listen.
      await this.open();
    }
    const sending = Promise.allSettled(messages.map(([channel, payload]) => client.spublish(channel, payload)));
    const sent = await (client.isCluster ? Promise.race([sending, nothingAfter(SLOW_MS)]) : sending);
    const failures = sent.flatMap((one) => (one.status === "rejected" ? [reasonOf(one.reason) ?? "Redis cannot be reached."] : []));
    const refusal = failures.find(isRefusal);
    if (refusal !== undefined) {
      // The connection stands all the same.
      this.#listener.onLost(refusal);
    } else if (failures.length === 0 && sent.length > 0) {
      this.#listener.onSent();
    }
    const [reason] = failures;
    const isNode = client.isCluster && client.status === "ready";
    if (reason !== undefined && failures.length === sent.length && !(isNode && !DOWN.test(reason))) {
      throw new Error(reason);
    }
  }
}

/** Resolves once a node is connected, or cannot be. */
function hasSettled(node: Redis): Promise<void> {
  return new Promise((resolve) => {
    if (node.status === "ready" || node.status === "end") {
      resolve();
    } else {
      node.once("ready", resolve).once("end", resolve);
    }
  });
}

function nothingAfter(delayMs: number): Promise<readonly PromiseSettledResult<number>[]> {
  return new Promise((resolve) => systemClock.after(delayMs, () => resolve([])));
}
