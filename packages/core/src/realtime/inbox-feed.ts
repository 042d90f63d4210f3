import { CATCH_UP_PAGE } from "../foundation/bounds.ts";
import type { Owner, WorkContext } from "../foundation/context.ts";
import {
  EMPTY_EPOCH,
  type InboxEvent,
  type InboxItem,
  type InboxPosition,
  type InboxSignal,
  type InboxStorage,
  isMatchingChange,
  isWholeChange,
  type LoggedChange,
  newInboxItem,
} from "../inbox/index.ts";
import type { DueFeeds } from "./due-feeds.ts";
import { Feed, type Pending } from "./feed.ts";
import { KnownCounts } from "./known-counts.ts";
import { createdEvent, eventsOf, type Lost, type Missed, NEXT_ITEM, type Reader, readMissed, seqsOf } from "./missed.ts";

/** The functions of a feed's follower. */
export interface FeedFollower {
  onEvent(event: InboxEvent): void;
  onState(recovered: boolean): void;
  /** Called when changes were missed, and are no longer kept. */
  onChangesLost(): void;
}

/** Where a feed is in the numbers of its inbox. */
type FeedPosition = Required<InboxPosition>;

/** The parts that each feed of an inbox uses. */
export interface InboxFeedParts extends WorkContext {
  readonly inbox: InboxStorage;
  /** Does what is due in the inbox at its time. */
  readonly due: DueFeeds;
}

/** What a feed knows of what it missed. */
interface Missing {
  /** Whether only new items are read: no change is known to be missing. If it is but the `next` one that is known to be, it is read first. */
  readonly items?: "only" | "next";
  /** Signals that it has of the changes. The log does not say how many active items a change of the whole inbox changed. */
  readonly known?: readonly Pending<InboxSignal>[];
}

/**
 * One inbox as this process's subscribers see it. Signals may be late, repeated, out of order or lost; the followers get
 * new items and changes in the order of the inbox's numbers, each once. A signal that is next in line is passed on as it is. Any
 * other signal makes the feed read the missing items and changes from the database.
 */
export class InboxFeed extends Feed<InboxSignal, FeedFollower> {
  readonly owner: Owner;
  readonly #reader: Reader;
  readonly #due: DueFeeds;
  readonly #clock: WorkContext["clock"];
  readonly #counts = new KnownCounts();
  #position: FeedPosition | null = null;
  /** The change after the last one that was told whole, and the items of it that were told. */
  #half = { rev: 0, seqs: new Set<number>() };
  /** Whether the items that were read last came one by one. */
  #isOneByOne = true;

  constructor(owner: Owner, { inbox, due, ...context }: InboxFeedParts) {
    super("read an inbox for its subscribers", context);
    this.owner = owner;
    this.#due = due;
    this.#clock = context.clock;
    this.#reader = { inbox, owner };
  }

  /** The last item and change that the followers got. */
  get position(): FeedPosition {
    return this.#position ?? { seq: 0, epoch: EMPTY_EPOCH, rev: 0 };
  }

  /** Does what is due in the inbox, and learns where it stands. Signals that arrive before are kept. */
  async open(): Promise<void> {
    const counts = await this.#due.look(this.owner);
    if (this.#position === null) {
      this.#position = { seq: counts.lastSeq, epoch: counts.epoch, rev: counts.rev };
      this.#counts.learn(counts);
    }
    this.wake();
  }

  protected override isOpen(): boolean {
    return this.#position !== null;
  }

  /** Whether the inbox has gone further than its followers were told. */
  isBehind({ seq, epoch, rev }: FeedPosition): boolean {
    const told = this.#position;
    // Before it is open, it may have been read already where it stands.
    return told === null || seq > told.seq || rev > told.rev || epoch !== told.epoch;
  }

  protected override pass(queue: Pending<InboxSignal>[]): Promise<void> | null {
    const signal = queue.shift() as Pending<InboxSignal>;
    if (signal === "gap") {
      return this.#catchUp().then((recovered) => this.#state(recovered));
    }
    if (signal === "behind") {
      return this.#passMissed();
    }
    return signal.change === "created" ? this.#created(signal, queue) : this.#changed(signal, queue);
  }

  #created(signal: InboxSignal, queue: readonly Pending<InboxSignal>[]): Promise<void> | null {
    const position = this.position;
    const sameNumbering = signal.epoch === position.epoch || position.epoch === EMPTY_EPOCH;
    if (sameNumbering && signal.seq <= position.seq) {
      return null;
    }
    const isNext = sameNumbering && signal.seq === position.seq + 1;
    if (isNext && signal.notification) {
      this.#tell(createdEvent(newInboxItem(signal.notification, this.owner, signal.seq), signal.epoch));
      return null;
    }
    return this.#passMissed({ items: isNext && queue.length === 0 && this.#isOneByOne ? "next" : "only" });
  }

  #changed(signal: InboxSignal, queue: readonly Pending<InboxSignal>[]): Promise<void> | null {
    const { rev, revs = 1, lastSeq = 0, of = 1, epoch, seq } = signal;
    const position = this.position;
    if (rev === undefined || epoch !== position.epoch) {
      this.#counts.forget();
      return this.#pass(signal, {});
    }
    if (rev <= position.rev) {
      return null;
    }
    const isOfMany = signal.id === undefined && !isWholeChange(signal.change);
    if (rev - revs > position.rev || lastSeq > position.seq || isOfMany) {
      return this.#passMissed({ known: [signal, ...queue] });
    }
    if (this.#half.rev !== rev) {
      this.#half = { rev, seqs: new Set() };
    }
    const { seqs } = this.#half;
    if (seqs.has(seq)) {
      return null;
    }
    seqs.add(seq);
    this.#counts.learnFrom(signal);
    return this.#pass(signal, { rev, left: of - seqs.size });
  }

  /** Passes on one change; it reads what the signal does not have. */
  #pass(signal: InboxSignal, place: Pick<InboxEvent, "rev" | "left">): Promise<void> | null {
    const { change, seq, epoch, item, count = 1 } = signal;
    if (isWholeChange(change)) {
      return this.#passWhole(signal, { change, item: null, count: signal.count ?? 0, seq, epoch, ...place });
    }
    if (item) {
      this.#tell({ change, item, count, seq, epoch, ...place });
      return null;
    }
    return this.#reader.inbox.get(this.owner, { seq }, { includeDeleted: true }).then((found) => {
      if (found === null && place.rev === undefined) {
        // Another process deleted it for good. The followers learn only how the inbox stands now.
        this.#state(true);
      } else {
        this.#tell({ change, item: found, count, seq, epoch, ...place });
      }
    });
  }

  #passWhole({ atMs }: InboxSignal, event: InboxEvent): Promise<void> | null {
    const { change, rev } = event;
    const dated = atMs === undefined ? event : { ...event, at: new Date(atMs) };
    if (rev === undefined || (change !== "deleted_read" && !isMatchingChange(change))) {
      this.#tell(dated);
      return null;
    }
    return this.#reader.inbox.changesAfter(this.owner, rev - 1, 1).then(({ changes: [line] }) => {
      this.#tell(line?.rev === rev ? { ...dated, ...seqsOf(line) } : dated);
    });
  }

  async #passMissed(missing?: Missing): Promise<void> {
    const recovered = await this.#catchUp(missing);
    if (!recovered) {
      this.#state(false);
    }
  }

  /** Passes on what the database holds after the present position. False when the numbering began anew. */
  async #catchUp({ items, known = [] }: Missing = {}): Promise<boolean> {
    let page = items === "next" ? NEXT_ITEM : CATCH_UP_PAGE;
    while (!this.isStopping) {
      const { rev, ...place } = this.position;
      const missed = await readMissed(this.#reader, items === undefined ? { ...place, rev } : place, { closedAt: this.#clock.now(), page });
      page = CATCH_UP_PAGE;
      if ("lost" in missed) {
        if (this.#lose(missed)) {
          return false;
        }
        continue;
      }
      this.#isOneByOne = missed.isAll && missed.told.length <= 1;
      await this.#tellAllMissed(missed, known);
      if (this.#isLeft) {
        break;
      }
      this.#position = { rev, ...missed.position };
      this.#counts.learnAfter(missed, rev);
      if (missed.isAll) {
        return true;
      }
    }
    // The next start looks again.
    return true;
  }

  /** Goes on after what was lost. Returns whether the numbering began anew; else followers of changes are told. */
  #lose({ lost, counts }: Lost): boolean {
    const { lastSeq, epoch, rev } = counts;
    this.#counts.learn(counts);
    const isNew = lost === "epoch";
    this.#position = { seq: isNew ? lastSeq : this.position.seq, epoch, rev };
    if (isNew) {
      this.#half = { rev: 0, seqs: new Set() };
    } else {
      this.#loseChanges();
    }
    return isNew;
  }

  async #tellAllMissed(missed: Missed, known: readonly Pending<InboxSignal>[]): Promise<void> {
    for (const told of missed.told) {
      if (told === missed.told.at(-1)) {
        this.#counts.learnAfter(missed, this.position.rev);
      }
      await this.#tellMissed(told, missed.position.epoch, known);
    }
  }

  async #tellMissed(told: InboxItem | LoggedChange, epoch: string, known: readonly Pending<InboxSignal>[]): Promise<void> {
    if (!("rev" in told)) {
      this.#tell(createdEvent(told, epoch));
      return;
    }
    const signal = known.findLast((one) => typeof one === "object" && one.rev === told.rev) as InboxSignal | undefined;
    if (signal !== undefined) {
      this.#counts.learnFrom(signal);
    }
    const without = this.#half.rev === told.rev ? this.#half.seqs : new Set<number>();
    for await (const event of eventsOf(this.#reader, { change: told, epoch, without })) {
      if (this.#isLeft) {
        return;
      }
      this.#tell(isWholeChange(event.change) ? { ...event, count: signal?.count ?? event.count } : event);
    }
  }

  /** Whether nobody is to be told any more: a change of very many items takes a while. */
  get #isLeft(): boolean {
    return this.isStopping || this.followers.size === 0;
  }

  #tell(event: InboxEvent): void {
    const { change, item, seq, epoch, rev, left = 0 } = event;
    if (change !== "deleted") {
      this.#due.note(this.owner, item);
    }
    if (change === "created") {
      this.#position = { ...this.position, seq, epoch };
    } else if (rev !== undefined && left === 0) {
      this.#counts.pass(change, { from: this.position.rev, to: rev });
      this.#position = { ...this.position, rev };
    }
    const told = this.#counted(event);
    for (const follower of this.followers) {
      follower.onEvent(told);
    }
  }

  /** The event with the counts after it, if they are known, and no more events of its change follow. */
  #counted(event: InboxEvent): InboxEvent {
    const { change, rev, left = 0 } = event;
    const counts = left > 0 || (change !== "created" && rev === undefined) ? undefined : this.#counts.at(this.position);
    return counts === undefined ? event : { ...event, counts };
  }

  #state(recovered: boolean): void {
    for (const follower of this.followers) {
      follower.onState(recovered);
    }
  }

  #loseChanges(): void {
    for (const follower of this.followers) {
      follower.onChangesLost();
    }
  }
}
