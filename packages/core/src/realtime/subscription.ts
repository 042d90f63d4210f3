import { CATCH_UP_PAGE } from "../foundation/bounds.ts";
import { guarded, type Owner } from "../foundation/context.ts";
import type { Logger } from "../foundation/logger.ts";
import {
  EMPTY_EPOCH,
  type InboxCounts,
  type InboxEvent,
  type InboxListener,
  type InboxPosition,
  type InboxStorage,
} from "../inbox/index.ts";
import { nextTurn, type Slots } from "../work/timing.ts";
import type { FeedFollower, InboxFeed } from "./inbox-feed.ts";

/** The most items of a replay. A subscriber that missed more must list the inbox again. */
const MAX_REPLAY = 10_000;

/** Where a {@link Subscription} stands; its own documentation has the transitions. */
export type SubscriptionMode = "holding" | "replaying" | "live" | "closed";

/** The parts that all {@link Subscription}s use. */
export interface SubscriptionParts {
  readonly inbox: InboxStorage;
  /** Bounds the pages that all replays hold at a time. */
  readonly pages: Slots;
  readonly logger: Logger;
}

/**
 * One subscriber of a feed. It follows the feed first, then replays from the database, and then releases the events that
 * the feed told meanwhile, without those that the replay covered. So it misses nothing and gets nothing twice.
 *
 * | mode        | what the feed tells                           | ends with                            |
 * | ----------- | --------------------------------------------- | ------------------------------------ |
 * | `holding`   | is held                                       | start: `replaying`, or `live`        |
 * | `replaying` | is held; of new items, the replay reads those | the replay ends: `holding`           |
 * | `live`      | is passed on                                  | close: `closed`                      |
 * | `closed`    | is dropped                                    |                                      |
 *
 * It may be closed in every mode.
 */
export class Subscription implements FeedFollower {
  readonly #feed: Pick<InboxFeed, "owner" | "position">;
  readonly #parts: SubscriptionParts;
  readonly #listener: InboxListener;
  #mode: SubscriptionMode = "holding";
  /** The events and states that wait; of a state, whether everything was recovered. */
  #held: (InboxEvent | boolean)[] | null = null;
  /** During a replay: the newest item the feed told of, which the replay has to reach. */
  #toReach: InboxPosition | null = null;
  /** The last number the listener was told of. */
  #seq = 0;
  #epoch = EMPTY_EPOCH;

  constructor(feed: Pick<InboxFeed, "owner" | "position">, parts: SubscriptionParts, listener: InboxListener) {
    this.#feed = feed;
    this.#parts = parts;
    this.#listener = listener;
  }

  get mode(): SubscriptionMode {
    return this.#mode;
  }

  /** Replays what came after `since`, reports the state if a replay was asked for, and goes live. */
  async start(since: InboxPosition | undefined): Promise<void> {
    const recovered = since === undefined ? null : await this.#replay(since);
    this.#enter("live");
    const held = this.#held ?? [];
    this.#held = null;
    for (const told of held) {
      this.#tell(told);
    }
    if (recovered !== null) {
      this.#state(recovered);
    }
  }

  /** Stops telling the listener anything. */
  close(): void {
    this.#mode = "closed";
  }

  onEvent(event: InboxEvent): void {
    if (this.#mode === "replaying" && event.change === "created") {
      this.#toReach = { seq: event.seq, epoch: event.epoch };
    } else {
      this.#tell(event);
    }
  }

  onState(recovered: boolean): void {
    this.#tell(recovered);
  }

  #enter(mode: SubscriptionMode): void {
    if (this.#mode !== "closed") {
      this.#mode = mode;
    }
  }

  #tell(told: InboxEvent | boolean): void {
    if (this.#mode !== "live") {
      if (this.#mode !== "closed") {
        this.#held ??= [];
        this.#held.push(told);
      }
    } else if (typeof told === "boolean") {
      this.#state(told);
    } else {
      this.#pass(told);
    }
  }

  #state(recovered: boolean): void {
    const { seq, epoch } = this.#feed.position;
    if (this.#mode === "live") {
      // A replay may have read further than the feed has told.
      const position = { seq: epoch === this.#epoch ? Math.max(seq, this.#seq) : seq, epoch };
      guarded(this.#parts.logger, () => this.#listener.onState(recovered, position));
    }
  }

  #pass(event: InboxEvent): void {
    if (this.#mode === "closed" || (event.change === "created" && event.epoch === this.#epoch && event.seq <= this.#seq)) {
      return;
    }
    if (event.change === "created") {
      this.#seq = event.seq;
      this.#epoch = event.epoch;
    }
    guarded(this.#parts.logger, () => this.#listener.onEvent(event));
  }

  async #replay(since: InboxPosition): Promise<boolean> {
    const { owner } = this.#feed;
    const { lastSeq, epoch } = await this.#parts.inbox.counts(owner);
    const known = since.epoch === epoch || (since.epoch === EMPTY_EPOCH && since.seq === 0);
    const possible = Number.isSafeInteger(since.seq) && since.seq >= 0 && since.seq <= lastSeq;
    if (!known || !possible || lastSeq - since.seq > MAX_REPLAY) {
      return false;
    }
    this.#seq = since.seq;
    this.#epoch = epoch;
    this.#enter("replaying");
    const isComplete = await this.#replayPages(owner, epoch);
    this.#enter("holding");
    return isComplete;
  }

  /**
   * Passes on what came after the present number, page by page, as fast as the listener takes it. It holds no page while it
   * waits for the listener. False when the numbering began anew, or the subscription was closed.
   */
  async #replayPages(owner: Owner, epoch: string): Promise<boolean> {
    let isComplete: boolean | null = null;
    while (isComplete === null && this.#mode === "replaying") {
      await this.#listener.writable?.();
      isComplete = await this.#parts.pages.run(() => this.#replayPage(owner, epoch));
    }
    return isComplete === true;
  }

  /** Passes on one page, or as much of it as the listener takes now. Null while there is more. */
  async #replayPage(owner: Owner, epoch: string): Promise<boolean | null> {
    if (this.#mode === "closed") {
      return false;
    }
    const { items, counts } = await this.#parts.inbox.listAfter(owner, this.#seq, CATCH_UP_PAGE);
    if (counts.epoch !== epoch && epoch !== EMPTY_EPOCH) {
      return false;
    }
    for (const item of items) {
      const full = this.#listener.writable?.();
      if (full !== undefined && !(await endsSoon(full))) {
        return null;
      }
      this.#pass({ change: "created", item, count: 1, seq: item.seq, epoch: counts.epoch });
    }
    return (items.at(-1)?.seq ?? counts.lastSeq) >= counts.lastSeq && !this.#isBehind(counts) ? true : null;
  }

  /** Whether the feed has told of an item that came after `counts` were read. */
  #isBehind({ lastSeq, epoch }: InboxCounts): boolean {
    const reach = this.#toReach;
    return reach !== null && (reach.epoch === epoch || epoch === EMPTY_EPOCH) && reach.seq > lastSeq;
  }
}

/** Whether `wait` ends within this turn of the event loop. */
function endsSoon(wait: Promise<void>): Promise<boolean> {
  return Promise.race([wait.then(() => true), nextTurn().then(() => false)]);
}
