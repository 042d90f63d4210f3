import { reasonOf } from "./contact.ts";
import type { RedisClient } from "./redis-source.ts";

/** Hears of a {@link SendingConnection}. */
export interface SendingListener {
  /** @param reason why, if it was said */
  onLost(reason: string | null): void;
  onReady(): void;
}

/** The connection for commands. It is built anew by itself when it is lost. */
export class SendingConnection {
  readonly client: RedisClient;

  constructor(client: RedisClient, { onLost, onReady }: SendingListener) {
    this.client = client;
    // An error that nobody listens for ends the process.
    client.on("error", (error: unknown) => onLost(reasonOf(error)));
    client.on("close", () => onLost(null));
    client.on("ready", onReady);
  }

  /** Connects, unless that is done or under way. */
  async open(): Promise<void> {
    const { status } = this.client;
    // One that was about to connect again may have been closed.
    if (status === "wait" || status === "end" || status === "reconnecting") {
      await this.client.connect();
    }
  }

  /** Resolves once it has ended, so that it can be opened again. */
  async close(): Promise<void> {
    const { client } = this;
    const isOpen = client.status === "ready" || client.status === "connect" || client.status === "connecting";
    const ended = isOpen ? new Promise((resolve) => client.once("end", resolve)) : null;
    client.disconnect();
    await ended;
  }
}
