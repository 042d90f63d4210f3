import type { FeedSubscription, Inbox, InboxCounts, InboxEvent, InboxItem, InboxPosition } from "@belfry/core";

/** A client that keeps its user's whole inbox, and learns of it by events alone: it never lists it. */
export class FollowingClient {
  /** Every item that is not deleted, by number. */
  readonly #items = new Map<number, InboxItem>();
  #position: Required<InboxPosition> = { seq: 0, epoch: "0", rev: 0 };
  #subscription: FeedSubscription | null = null;
  /** The counts at its last resumption. */
  counts: InboxCounts | null = null;
  /** The counts that the last event had. */
  told: InboxEvent["counts"];
  /** How many events of live changes had none, though no other event of the same change was to follow. */
  uncounted = 0;
  #isLive = false;
  /** How many resumptions did not recover everything. */
  lost = 0;

  get isConnected(): boolean {
    return this.#subscription !== null;
  }

  get position(): Required<InboxPosition> {
    return this.#position;
  }

  /** Its items as text, by number. */
  get lines(): readonly string[] {
    return [...this.#items.values()].toSorted((one, other) => one.seq - other.seq).map(itemLine);
  }

  /** Follows the inbox from where it was. */
  async resume(inbox: Inbox): Promise<void> {
    const subscription = inbox.subscribe(
      {
        onEvent: (event) => this.#apply(event),
        onState: (recovered, position, counts) => {
          this.lost += recovered ? 0 : 1;
          this.counts = counts;
          this.told = undefined;
          this.#isLive = true;
          this.#position = { ...position, rev: position.rev ?? 0 };
        },
      },
      this.#position,
    );
    this.#subscription = subscription;
    await subscription.ready;
  }

  drop(): void {
    this.#subscription?.close();
    this.#subscription = null;
    this.#isLive = false;
  }

  #apply(event: InboxEvent): void {
    const { change, item, seq, epoch, rev, left = 0 } = event;
    this.#count(event);
    if (change === "read_all" || change === "seen_all") {
      this.#cover(event);
    } else if (change === "deleted_read") {
      for (const deleted of event.seqs ?? []) {
        this.#items.delete(deleted);
      }
    } else if (change === "read_matching" || change === "seen_matching" || change === "archived_matching") {
      this.#match(event);
    } else if (item === null || change === "deleted") {
      this.#items.delete(seq);
    } else {
      this.#items.set(seq, item);
    }
    if (change === "created") {
      this.#position = { ...this.#position, seq, epoch };
    } else if (rev !== undefined && left === 0) {
      this.#position = { ...this.#position, rev };
    }
  }

  #count({ counts, left = 0 }: InboxEvent): void {
    this.told = counts;
    this.uncounted += this.#isLive && left === 0 && counts === undefined ? 1 : 0;
  }

  #match({ change, seqs = [], at: time }: InboxEvent): void {
    const at = time ?? null;
    const read = { isSeen: true, ...(change === "read_matching" ? { readAt: at } : {}) };
    for (const seq of seqs) {
      const item = this.#items.get(seq);
      if (item !== undefined) {
        this.#items.set(seq, { ...item, ...(change === "archived_matching" ? { archivedAt: at } : read) });
      }
    }
  }

  #cover({ change, seq, at }: InboxEvent): void {
    for (const [number, item] of this.#items) {
      if (number <= seq && item.readAt === null) {
        this.#items.set(number, { ...item, isSeen: true, readAt: change === "read_all" ? (at ?? null) : null });
      }
    }
  }
}

/** What is shown of an item, and its states. */
export function itemLine({ seq, id, title, readAt, isSeen, pinnedAt, archivedAt, snoozedUntil }: InboxItem): string {
  const times = [readAt, pinnedAt, archivedAt, snoozedUntil].map((time) => time?.getTime() ?? null);
  return JSON.stringify([seq, id, title, isSeen, ...times]);
}
