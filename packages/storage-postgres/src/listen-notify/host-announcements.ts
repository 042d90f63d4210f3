import type { CreatedItem } from "@belfry/core";
import type { InboxSignal, NewNotification } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { channelOf, notify } from "./notify.ts";
import { packSignals } from "./signal-payload.ts";

/** Nobody's name, so that every process takes the signals, this one too. */
const NO_SENDER = "";

/**
 * Tells of what was created inside transactions of the host. PostgreSQL itself sends those signals when the transaction
 * commits, so that they go out even if this process dies right after; a transport must not send them again.
 */
export class HostAnnouncements {
  readonly channel: string;
  #isTelling = false;
  #hasTransport = false;

  constructor(schema: string) {
    this.channel = channelOf(schema);
  }

  /** Whether what is published at this moment was sent by PostgreSQL already. */
  get isTelling(): boolean {
    return this.#isTelling;
  }

  /** To be called by a transport: without one, nothing is sent, as nobody hears it and every NOTIFY slows commits down. */
  attach(): void {
    this.#hasTransport = true;
  }

  /** Has the transaction behind `session` send the signals of an entry when it commits. */
  async add(session: Session, { notification }: NewNotification, items: readonly CreatedItem[]): Promise<void> {
    if (this.#hasTransport && items.length > 0) {
      const { tenant, id } = notification;
      const signals = items.map(({ userId, seq, epoch }): InboxSignal => ({ tenant, userId, change: "created", seq, epoch, id }));
      await notify(session, this.channel, packSignals({ sender: NO_SENDER, signals }));
    }
  }

  /** Runs `tell`, which publishes what PostgreSQL has sent already. */
  telling(tell: () => void): void {
    this.#isTelling = true;
    try {
      tell();
    } finally {
      this.#isTelling = false;
    }
  }
}
