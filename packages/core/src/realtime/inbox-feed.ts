import { CATCH_UP_PAGE } from "../foundation/bounds.ts";
import type { Owner, WorkContext } from "../foundation/context.ts";
import {
  EMPTY_EPOCH,
  type InboxEvent,
  type InboxPosition,
  type InboxSignal,
  type InboxStorage,
  isWholeChange,
  newInboxItem,
} from "../inbox/index.ts";
import { Feed, type Pending } from "./feed.ts";

/** The functions of a feed's follower. */
export interface FeedFollower {
  onEvent(event: InboxEvent): void;
  onState(recovered: boolean): void;
}

/**
 * One inbox as this process's subscribers see it. Signals may be late, repeated, out of order or lost; the followers get
 * events in the order of the inbox's numbers, each once. A signal that is next in line is passed on as it is. Any other
 * signal makes the feed read the missing items from the database.
 */
export class InboxFeed extends Feed<InboxSignal, FeedFollower> {
  readonly owner: Owner;
  readonly #inbox: InboxStorage;
  #position: InboxPosition | null = null;

  constructor(owner: Owner, inbox: InboxStorage, context: WorkContext) {
    super("read an inbox for its subscribers", context);
    this.owner = owner;
    this.#inbox = inbox;
  }

  /** The last item that the followers got. */
  get position(): InboxPosition {
    return this.#position ?? { seq: 0, epoch: EMPTY_EPOCH };
  }

  /** Learns where the inbox stands. Signals that arrive before are kept. */
  async open(): Promise<void> {
    const { lastSeq, epoch } = await this.#inbox.counts(this.owner);
    this.#position ??= { seq: lastSeq, epoch };
    this.wake();
  }

  protected override isOpen(): boolean {
    return this.#position !== null;
  }

  /** Whether the inbox has gone further than its followers were told. */
  isBehind(position: InboxPosition): boolean {
    return this.#position !== null && (position.seq > this.#position.seq || position.epoch !== this.#position.epoch);
  }

  protected override pass(queue: Pending<InboxSignal>[]): Promise<void> | null {
    const signal = queue.shift() as Pending<InboxSignal>;
    if (signal === "gap") {
      return this.#catchUp().then((recovered) => this.#state(recovered));
    }
    if (signal === "behind") {
      return this.#passMissed();
    }
    return signal.change === "created" ? this.#created(signal) : this.#changed(signal);
  }

  #created(signal: InboxSignal): Promise<void> | null {
    const position = this.#position as InboxPosition;
    const sameNumbering = signal.epoch === position.epoch || position.epoch === EMPTY_EPOCH;
    if (sameNumbering && signal.seq <= position.seq) {
      return null;
    }
    if (sameNumbering && signal.seq === position.seq + 1 && signal.notification) {
      const item = newInboxItem(signal.notification, this.owner, signal.seq);
      this.#tell({ change: "created", item, count: 1, seq: signal.seq, epoch: signal.epoch });
      return null;
    }
    return this.#passMissed();
  }

  async #passMissed(): Promise<void> {
    const recovered = await this.#catchUp();
    if (!recovered) {
      this.#state(false);
    }
  }

  #changed(signal: InboxSignal): Promise<void> | null {
    const { change, seq, epoch, count = 1 } = signal;
    if (isWholeChange(change)) {
      this.#tell({ change, item: null, count: signal.count ?? 0, seq, epoch });
      return null;
    }
    if (signal.item) {
      this.#tell({ change, item: signal.item, count, seq, epoch });
      return null;
    }
    return this.#inbox.get(this.owner, { seq }, { includeDeleted: true }).then((item) => {
      if (item) {
        this.#tell({ change, item, count, seq, epoch });
      } else {
        // Another process deleted it for good. The followers learn only how the inbox stands now.
        this.#state(true);
      }
    });
  }

  /** Passes on what the database holds after the present position. False when the numbering began anew. */
  async #catchUp(): Promise<boolean> {
    while (!this.isStopping) {
      const { seq, epoch } = this.#position as InboxPosition;
      const { items, counts } = await this.#inbox.listAfter(this.owner, seq, CATCH_UP_PAGE);
      if (epoch !== EMPTY_EPOCH && counts.epoch !== epoch) {
        this.#position = { seq: counts.lastSeq, epoch: counts.epoch };
        return false;
      }
      for (const item of items) {
        this.#tell({ change: "created", item, count: 1, seq: item.seq, epoch: counts.epoch });
      }
      if ((items.at(-1)?.seq ?? counts.lastSeq) >= counts.lastSeq) {
        this.#position = { seq: counts.lastSeq, epoch: counts.epoch };
        return true;
      }
    }
    // The next start looks again.
    return true;
  }

  #tell(event: InboxEvent): void {
    if (event.change === "created") {
      this.#position = { seq: event.seq, epoch: event.epoch };
    }
    for (const follower of this.followers) {
      follower.onEvent(event);
    }
  }

  #state(recovered: boolean): void {
    for (const follower of this.followers) {
      follower.onState(recovered);
    }
  }
}
