import { guarded, tellGuarded } from "../foundation/context.ts";
import type { Logger } from "../foundation/logger.ts";
import type { Tracing } from "../foundation/tracing.ts";
import {
  EMPTY_EPOCH,
  type InboxCounts,
  type InboxEvent,
  type InboxItem,
  type InboxListener,
  type InboxPosition,
  type InboxStorage,
  isWholeChange,
  type LoggedChange,
} from "../inbox/index.ts";
import { nextTurn, type Slots } from "../work/timing.ts";
import { HeldEvents } from "./held-events.ts";
import type { FeedFollower, InboxFeed } from "./inbox-feed.ts";
import { createdEvent, eventsOf, mayReplay, readMissed } from "./missed.ts";
import { tracedPush } from "./traced-push.ts";

/** Where a {@link Subscription} stands; its own documentation has the transitions. */
export type SubscriptionMode = "holding" | "replaying" | "live" | "closed";

/** What a subscription needs of its feed. */
interface Followed extends Pick<InboxFeed, "owner"> {
  readonly position: InboxPosition;
}

/** The parts that all {@link Subscription}s use. */
export interface SubscriptionParts {
  readonly inbox: InboxStorage;
  /** Bounds the pages that all replays hold at a time. */
  readonly pages: Slots;
  readonly logger: Logger;
  /** Follows new items to their listeners, for traces; null where nothing is traced. */
  readonly tracing: Tracing | null;
}

/**
 * One subscriber of a feed. It follows the feed first, then replays from the database, and then releases the events that
 * the feed told meanwhile, without those that the replay covered. So it misses nothing and gets nothing twice.
 *
 * | mode        | what the feed tells                           | ends with                            |
 * | ----------- | --------------------------------------------- | ------------------------------------ |
 * | `holding`   | is held                                       | start: `replaying`, or `live`        |
 * | `replaying` | is held, but for what the replay reads itself | the replay ends: `holding`           |
 * | `live`      | is passed on                                  | close: `closed`                      |
 * | `closed`    | is dropped                                    |                                      |
 *
 * It may be closed in every mode. One that resumes with a `rev` follows changes: its replay reads them, too, and it is told when
 * some were lost.
 */
export class Subscription implements FeedFollower {
  // What each event needs stands together: the processor's caches get it at once.
  readonly #listener: InboxListener;
  #mode: SubscriptionMode = "holding";
  /** The last number the listener was told of. */
  #seq = 0;
  #epoch = EMPTY_EPOCH;
  /** Whether it resumed with the number of a change. */
  #followsChanges = false;
  readonly #feed: Followed;
  readonly #parts: SubscriptionParts;
  /** The events and states that wait; null for none. */
  #held: HeldEvents | null = null;
  /** During a replay: the newest item and change that the feed told of, which the replay has to reach. */
  #toReach: Required<InboxPosition> | null = null;
  /** If it follows changes, the last change that was told whole, and the items of the one after it that were told; null for none. */
  #rev = 0;
  #half: Set<number> | null = null;

  constructor(feed: Followed, parts: SubscriptionParts, listener: InboxListener) {
    this.#feed = feed;
    this.#parts = parts;
    this.#listener = listener;
  }

  get mode(): SubscriptionMode {
    return this.#mode;
  }

  /** Replays what came after `since`, reports the state if a replay was asked for, and goes live. */
  async start(since: InboxPosition | undefined): Promise<void> {
    this.#followsChanges = since?.rev !== undefined;
    const replayed = since === undefined ? null : await this.#replay(since);
    this.#enter("live");
    const held = this.#held;
    this.#held = null;
    for (const told of held?.all() ?? []) {
      this.#tell(told);
    }
    const hasLost = held?.hasLost === true;
    if (replayed !== null || hasLost) {
      this.#state(replayed?.recovered === true && !hasLost, replayed?.counts);
    }
  }

  /** Stops telling the listener anything. */
  close(): void {
    this.#mode = "closed";
  }

  onEvent(event: InboxEvent): void {
    const { change, seq, epoch, rev } = event;
    const isRead = change === "created" || (this.#followsChanges && rev !== undefined);
    if (this.#mode === "replaying" && isRead) {
      const before = this.#toReach?.epoch === epoch ? this.#toReach : { seq: 0, rev: 0 };
      this.#toReach = change === "created" ? { ...before, seq, epoch } : { ...before, rev: rev ?? 0, epoch };
    } else {
      this.#tell(event);
    }
  }

  onState(recovered: boolean): void {
    this.#tell(recovered);
  }

  onChangesLost(): void {
    // A replay without changes tells none, and needs none of those that were lost meanwhile. Whoever is live gets them, and has to look again.
    if (this.#followsChanges || this.#mode === "live") {
      this.#tell(false);
    }
  }

  #enter(mode: SubscriptionMode): void {
    if (this.#mode !== "closed") {
      this.#mode = mode;
    }
  }

  #tell(told: InboxEvent | boolean): void {
    if (this.#mode !== "live") {
      if (this.#mode !== "closed") {
        this.#held ??= new HeldEvents();
        this.#held.hold(told);
      }
    } else if (typeof told === "boolean") {
      this.#state(told);
    } else {
      this.#pass(told);
    }
  }

  #state(recovered: boolean, counts: InboxCounts | null = null): void {
    const { seq, epoch, rev = 0 } = this.#feed.position;
    if (this.#mode === "live") {
      // A replay may have read further than the feed has told.
      const isSame = epoch === this.#epoch;
      const position = { seq: isSame ? Math.max(seq, this.#seq) : seq, epoch, rev: isSame ? Math.max(rev, this.#rev) : rev };
      guarded(this.#parts.logger, () => this.#listener.onState(recovered, position, counts));
    }
  }

  #pass(event: InboxEvent): void {
    if (this.#mode === "closed" || this.#isRepeated(event)) {
      return;
    }
    const { change, item, seq, epoch, rev, left = 0 } = event;
    if (epoch !== this.#epoch && (change === "created" || rev !== undefined)) {
      this.#beginAnew(epoch);
    }
    if (change === "created") {
      this.#seq = seq;
    } else if (this.#followsChanges && rev !== undefined) {
      this.#noteChange(rev, seq, left);
    } else if (item === null && rev !== undefined && !isWholeChange(change)) {
      // Another process deleted it for good. The listener learns only how the inbox stands now.
      this.#state(true);
      return;
    }
    const told = this.#isOutdated(event) ? withoutCounts(event) : event;
    const { logger, tracing } = this.#parts;
    if (tracing === null) {
      tellGuarded(logger, this.#listener, told);
    } else {
      tracedPush({ listener: this.#listener, owner: this.#feed.owner, event: told }, logger, tracing);
    }
  }

  /** Whether the counts of an event are those before something that a replay has told already. */
  #isOutdated({ counts }: InboxEvent): boolean {
    return counts !== undefined && (counts.lastSeq < this.#seq || counts.rev < this.#rev);
  }

  /** In another epoch, items and changes are numbered from the beginning. */
  #beginAnew(epoch: string): void {
    this.#epoch = epoch;
    this.#seq = 0;
    this.#rev = 0;
    this.#half = null;
  }

  #noteChange(rev: number, seq: number, left: number): void {
    if (left === 0) {
      this.#rev = rev;
      this.#half = null;
    } else {
      this.#half ??= new Set();
      this.#half.add(seq);
    }
  }

  #isRepeated({ change, seq, epoch, rev }: InboxEvent): boolean {
    if (epoch !== this.#epoch) {
      return false;
    }
    return change === "created" ? seq <= this.#seq : this.#followsChanges && rev !== undefined && rev <= this.#rev;
  }

  async #replay(since: InboxPosition): Promise<{ readonly recovered: boolean; readonly counts: InboxCounts | null }> {
    const { owner } = this.#feed;
    const before = await this.#parts.inbox.counts(owner);
    if (!mayReplay(since, before)) {
      return { recovered: false, counts: null };
    }
    const { epoch } = before;
    this.#seq = since.seq;
    this.#epoch = epoch;
    this.#rev = since.rev ?? 0;
    this.#enter("replaying");
    const counts = await this.#replayPages(epoch);
    this.#enter("holding");
    return { recovered: counts !== null, counts: this.#followsChanges ? counts : null };
  }

  /**
   * Passes on what came after the present number, page by page, as fast as the listener takes it. It holds no page while it
   * waits for the listener. It answers the counts after that; null when the numbering began anew, changes are no longer kept, or the
   * subscription was closed.
   */
  async #replayPages(epoch: string): Promise<InboxCounts | null> {
    let done: InboxCounts | "lost" | "more" = "more";
    while (done === "more" && this.#mode === "replaying") {
      await this.#listener.writable?.();
      done = await this.#parts.pages.run(() => this.#replayPage(epoch));
    }
    return typeof done === "string" ? null : done;
  }

  /** Passes on one page, or as much of it as the listener takes now. */
  async #replayPage(epoch: string): Promise<InboxCounts | "lost" | "more"> {
    if (this.#mode === "closed") {
      return "lost";
    }
    const since = { seq: this.#seq, epoch, ...(this.#followsChanges ? { rev: this.#rev } : {}) };
    const missed = await readMissed(this.#reader, since);
    if ("lost" in missed) {
      return "lost";
    }
    for (const told of missed.told) {
      if (!(await this.#replayOne(told, missed.counts.epoch))) {
        return "more";
      }
    }
    this.#seq = missed.position.seq;
    this.#rev = missed.position.rev ?? this.#rev;
    return missed.isAll && !this.#isBehind(missed.counts) ? missed.counts : "more";
  }

  /** Passes on an item or a change. False if the listener does not take all of it now. */
  async #replayOne(told: InboxItem | LoggedChange, epoch: string): Promise<boolean> {
    if (!("rev" in told)) {
      return await this.#passIfTaken(createdEvent(told, epoch));
    }
    for await (const event of eventsOf(this.#reader, { change: told, epoch, without: new Set(this.#half) })) {
      if (!(await this.#passIfTaken(event))) {
        return false;
      }
    }
    return true;
  }

  async #passIfTaken(event: InboxEvent): Promise<boolean> {
    const full = this.#listener.writable?.();
    if (full !== undefined && !(await endsSoon(full))) {
      return false;
    }
    this.#pass(event);
    return true;
  }

  get #reader() {
    return { inbox: this.#parts.inbox, owner: this.#feed.owner };
  }

  /** Whether the feed has told of an item or a change that came after `counts` were read. */
  #isBehind({ lastSeq, epoch, rev }: InboxCounts): boolean {
    const reach = this.#toReach;
    return reach !== null && (reach.epoch === epoch || epoch === EMPTY_EPOCH) && (reach.seq > lastSeq || reach.rev > rev);
  }
}

function withoutCounts({ counts: _, ...event }: InboxEvent): InboxEvent {
  return event;
}

/** Whether `wait` ends within this turn of the event loop. */
function endsSoon(wait: Promise<void>): Promise<boolean> {
  return Promise.race([wait.then(() => true), nextTurn().then(() => false)]);
}
