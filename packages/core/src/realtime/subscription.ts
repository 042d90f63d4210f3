import { CATCH_UP_PAGE } from "../foundation/bounds.ts";
import type { Owner } from "../foundation/context.ts";
import {
  EMPTY_EPOCH,
  type InboxCounts,
  type InboxEvent,
  type InboxListener,
  type InboxPosition,
  type InboxStorage,
} from "../inbox/index.ts";
import type { FeedFollower, InboxFeed } from "./inbox-feed.ts";

/** The most items a subscriber is replayed; who missed more lists anew. */
const MAX_REPLAY = 10_000;

/**
 * One subscriber of a feed. It follows the feed first, replays from the database second, and then releases what the
 * feed told meanwhile, leaving out what the replay covered: nothing is missed and nothing comes twice.
 */
export class Subscription implements FeedFollower {
  readonly #feed: InboxFeed;
  readonly #inbox: InboxStorage;
  readonly #listener: InboxListener;
  /** What the feed told before the subscription was live; null once it is. */
  #held: (() => void)[] | null = [];
  /** During a replay: the newest item the feed told of, which the replay has to reach; items are not held meanwhile. */
  #toReach: InboxPosition | null = null;
  #isReplaying = false;
  /** The last number the listener was told of. */
  #seq = 0;
  #epoch = EMPTY_EPOCH;
  #closed = false;

  constructor(feed: InboxFeed, inbox: InboxStorage, listener: InboxListener) {
    this.#feed = feed;
    this.#inbox = inbox;
    this.#listener = listener;
    feed.followers.add(this);
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Replays what came after `since`, reports the state if a replay was asked for, and goes live. */
  async start(since: InboxPosition | undefined): Promise<void> {
    if (since === undefined) {
      this.#release();
      return;
    }
    const recovered = await this.#replay(since);
    this.#release();
    if (!this.#closed) {
      this.#state(recovered);
    }
  }

  /** Stops telling the listener anything. */
  close(): void {
    this.#closed = true;
    this.#held = null;
    this.#feed.followers.delete(this);
  }

  onEvent(event: InboxEvent): void {
    if (this.#isReplaying && event.change === "created") {
      this.#toReach = { seq: event.seq, epoch: event.epoch };
    } else if (this.#held) {
      this.#held.push(() => this.#pass(event));
    } else {
      this.#pass(event);
    }
  }

  onState(recovered: boolean): void {
    if (this.#held) {
      this.#held.push(() => this.#state(recovered));
    } else {
      this.#state(recovered);
    }
  }

  #state(recovered: boolean): void {
    const { seq, epoch } = this.#feed.position;
    // A replay may have read further than the feed has told.
    this.#listener.onState(recovered, { seq: epoch === this.#epoch ? Math.max(seq, this.#seq) : seq, epoch });
  }

  #pass(event: InboxEvent): void {
    if (event.change === "created") {
      if (event.epoch === this.#epoch && event.seq <= this.#seq) {
        return;
      }
      this.#seq = event.seq;
      this.#epoch = event.epoch;
    }
    this.#listener.onEvent(event);
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const tell of held) {
      if (!this.#closed) {
        tell();
      }
    }
  }

  async #replay(since: InboxPosition): Promise<boolean> {
    const owner: Owner = this.#feed.owner;
    const { lastSeq, epoch } = await this.#inbox.counts(owner);
    const known = since.epoch === epoch || (since.epoch === EMPTY_EPOCH && since.seq === 0);
    const possible = Number.isSafeInteger(since.seq) && since.seq >= 0 && since.seq <= lastSeq;
    if (!known || !possible || lastSeq - since.seq > MAX_REPLAY) {
      return false;
    }
    this.#seq = since.seq;
    this.#epoch = epoch;
    this.#isReplaying = true;
    const isComplete = await this.#replayPages(owner, epoch);
    this.#isReplaying = false;
    return isComplete;
  }

  /** Passes on what came after the present number, page by page, as fast as the listener takes it. False when the numbering began anew. */
  async #replayPages(owner: Owner, epoch: string): Promise<boolean> {
    while (!this.#closed) {
      const { items, counts } = await this.#inbox.listAfter(owner, this.#seq, CATCH_UP_PAGE);
      if (counts.epoch !== epoch && epoch !== EMPTY_EPOCH) {
        return false;
      }
      for (const item of items) {
        await this.#listener.writable?.();
        if (this.#closed) {
          return false;
        }
        this.#pass({ change: "created", item, count: 1, seq: item.seq, epoch: counts.epoch });
      }
      if ((items.at(-1)?.seq ?? counts.lastSeq) >= counts.lastSeq && !this.#isBehind(counts)) {
        return true;
      }
    }
    return false;
  }

  /** Whether the feed has told of an item that came after `counts` were read. */
  #isBehind({ lastSeq, epoch }: InboxCounts): boolean {
    const reach = this.#toReach;
    return reach !== null && (reach.epoch === epoch || epoch === EMPTY_EPOCH) && reach.seq > lastSeq;
  }
}
