import { CATCH_UP_PAGE, type PageBounds } from "../foundation/bounds.ts";
import { type FeedSubscription, guarded, type WorkContext } from "../foundation/context.ts";
import { uuidTimeMs } from "../foundation/ids.ts";
import type { HistoryPosition, HubEvent, HubListener, HubSignal, HubStorage, SourceRecord } from "../hub/index.ts";
import { Feed, type Pending } from "./feed.ts";
import { feedName } from "./feed-name.ts";
import { Feeds } from "./feeds.ts";
import type { Transport } from "./transport.ts";

interface Source {
  readonly tenant: string;
  readonly source: string;
}

interface HubFeedOptions extends Source, Omit<WorkContext, "ready"> {
  readonly hub: HubStorage;
  /** Whether signals may be lost, so that the feed looks at the database from time to time. */
  readonly isLossy: boolean;
}

/** A look at the database reaches back over what others had written, but not committed, at the last look. */
const OVERLAP_MS = 10_000;
const REMEMBERED = 50_000;
/** The most signals that one read of the database covers. */
const BATCH = 200;

/** One source as this process's subscribers see it. Signals may be late, repeated or lost; the followers get everything once. */
class HubFeed extends Feed<HubSignal, HubListener> {
  readonly #options: HubFeedOptions;
  readonly #openedMs: number;
  readonly #toldEvents = new RecentIds(REMEMBERED);
  readonly #toldRecords = new RecentIds(REMEMBERED);
  #lookedMs: number;

  constructor(options: HubFeedOptions) {
    super("read the hub for its subscribers", options);
    this.#options = options;
    this.#openedMs = options.clock.now();
    this.#lookedMs = this.#openedMs;
    this.#remember();
  }

  /** Signals of this process carry their full content and are passed on at once. */
  protected override pass(queue: Pending<HubSignal>[]): Promise<void> | null {
    const batch = takeBatch(queue);
    return batch.length === 0 ? this.#look() : this.#pass(batch);
  }

  #pass(signals: readonly HubSignal[]): Promise<void> | null {
    const events = new Map(signals.flatMap(({ event }) => (event ? [[event.id, event] as const] : [])));
    const records = new Map(signals.flatMap(({ record }) => (record ? [[record.id, record] as const] : [])));
    const isMissing = ({ change, id }: HubSignal) => change === "settled" && !records.has(id) && !this.#toldRecords.has(id);
    const missingRecords = signals.filter(isMissing).map(({ id }) => id);
    const missingEvents = this.#missingEvents(signals, events, [...records.values()]);
    const tell = () => this.#tellAll(signals, events, records);
    if (missingRecords.length === 0 && missingEvents.length === 0) {
      tell();
      return null;
    }
    return this.#findEvents(missingEvents).then(() => {
      tell();
      return this.#findRecords(missingRecords);
    });
  }

  async #findEvents(ids: readonly string[]): Promise<void> {
    const { tenant, hub } = this.#options;
    await this.#find(ids, async (missing) => {
      const events = await hub.findEvents(tenant, missing, CATCH_UP_PAGE.bytes);
      for (const event of events) {
        this.#tellEvent(event);
      }
      return events;
    });
  }

  async #findRecords(ids: readonly string[]): Promise<void> {
    const { tenant, source, hub } = this.#options;
    await this.#find(ids, async (missing) => {
      const records = await hub.findRecords(tenant, missing, CATCH_UP_PAGE.bytes);
      await this.#tellRecords(records.map((record) => ({ ...record, source })));
      return records;
    });
  }

  /** Reads page by page what there is of these ids. */
  async #find(ids: readonly string[], read: (missing: readonly string[]) => Promise<readonly { readonly id: string }[]>): Promise<void> {
    const missing = new Set(ids);
    while (missing.size > 0 && !this.isStopping) {
      const found = await read([...missing]);
      if (found.length === 0) {
        return;
      }
      for (const { id } of found) {
        missing.delete(id);
      }
    }
  }

  /** Returns the events to tell of, before their results, whose content did not come with the signals. */
  #missingEvents(
    signals: readonly HubSignal[],
    events: ReadonlyMap<string, HubEvent>,
    records: readonly SourceRecord[],
  ): readonly string[] {
    const signalled = signals.filter(({ change }) => change === "event").map(({ id }) => id);
    return [...new Set([...signalled, ...this.#untold(records)])].filter((id) => !events.has(id) && !this.#toldEvents.has(id));
  }

  /**
   * Returns the events of results that followers may not know: young ones, whose own signal may be late or lost. Older
   * events were told, or a look has found them. Events from before anybody followed are not replayed.
   */
  #untold(records: readonly SourceRecord[]): readonly string[] {
    const sinceMs = Math.max(this.#openedMs, this.#options.clock.now() - OVERLAP_MS);
    const ids = records.map(({ notificationId }) => notificationId);
    return ids.filter((id) => uuidTimeMs(id) > sinceMs && !this.#toldEvents.has(id));
  }

  #tellAll(signals: readonly HubSignal[], events: ReadonlyMap<string, HubEvent>, records: ReadonlyMap<string, SourceRecord>): void {
    for (const { change, id } of signals) {
      if (change === "event") {
        this.#tellEvent(events.get(id));
      } else {
        const record = records.get(id);
        this.#tellEvent(events.get(record?.notificationId ?? ""));
        this.#tellRecord(record);
      }
    }
  }

  async #look(): Promise<void> {
    const { tenant, source, hub, clock } = this.#options;
    const startedMs = clock.now();
    const since = new Date(Math.max(this.#lookedMs - OVERLAP_MS, this.#openedMs + 1));
    await this.#pages(since, async (range) => {
      const { items, next } = await hub.listEventsSince(tenant, source, range);
      for (const event of items) {
        this.#tellEvent(event);
      }
      return next;
    });
    await this.#pages(since, async (range) => {
      const { items, next } = await hub.listSettledSince(tenant, source, range);
      await this.#tellRecords(items);
      return next;
    });
    this.#lookedMs = startedMs;
    this.#remember();
  }

  /** Keeps all ids that the next look may find again: those of twice the overlap, as clocks may differ. */
  #remember(): void {
    for (const told of this.#options.isLossy ? [this.#toldEvents, this.#toldRecords] : []) {
      told.keepSinceMs = this.#lookedMs - 2 * OVERLAP_MS;
    }
  }

  async #pages(since: Date, read: (range: HistoryPosition & PageBounds) => Promise<HistoryPosition | null>): Promise<void> {
    let position: HistoryPosition | null = { since };
    while (position !== null && !this.isStopping) {
      position = await read({ ...position, ...CATCH_UP_PAGE });
    }
  }

  /** Tells of records, after those of their events that were not told. */
  async #tellRecords(records: readonly SourceRecord[]): Promise<void> {
    await this.#findEvents(this.#untold(records));
    for (const record of records) {
      this.#tellRecord(record);
    }
  }

  #tellEvent(event: HubEvent | undefined): void {
    if (event && this.#toldEvents.add(event.id, this.#options.clock.now())) {
      for (const follower of this.followers) {
        follower.onEvent(event);
      }
    }
  }

  #tellRecord(record: SourceRecord | undefined): void {
    if (record && this.#toldRecords.add(record.id, this.#options.clock.now())) {
      for (const follower of this.followers) {
        follower.onSettled(record);
      }
    }
  }
}

/** Takes a batch of signals off `queue`, up to the next look at the database. Returns none if that look is first. */
function takeBatch(queue: Pending<HubSignal>[]): readonly HubSignal[] {
  const end = queue.findIndex((pending, index) => typeof pending === "string" || index === BATCH);
  const batch = queue.splice(0, end === -1 ? queue.length : Math.max(end, 1));
  return batch.filter((pending) => typeof pending !== "string");
}

/** The parts that the hub's feeds use. */
export interface HubFeedsOptions extends WorkContext {
  readonly hub: HubStorage;
  readonly transport: Transport;
}

/** The polls to skip. Lost signals are rare here, and a lost connection is noticed, so the database is read less often. */
const POLLS_SKIPPED = 5;

/** The feeds of the hub's sources that are followed in this process. */
export class HubFeeds extends Feeds<Source, HubSignal, HubListener, HubFeed> {
  constructor(options: HubFeedsOptions) {
    const { hub, clock, logger, transport } = options;
    super(options, {
      name: "a source of the hub",
      pollIntervalMs: transport.pollIntervalMs * POLLS_SKIPPED,
      transport,
      open: (source) => new HubFeed({ ...source, hub, clock, logger, isLossy: transport.pollIntervalMs > 0 }),
      poll: () => this.gap(),
    });
  }

  /** Follows a source of a tenant from now on. */
  subscribe(tenant: string, source: string, listener: HubListener): FeedSubscription {
    const { logger } = this.context;
    // The same listener may follow twice, and end one of the two.
    const follower: HubListener = {
      onEvent: (event) => guarded(logger, () => listener.onEvent(event)),
      onSettled: (record) => guarded(logger, () => listener.onSettled(record)),
    };
    return this.follow(feedName(tenant, source), { tenant, source }, () => ({ follower }));
  }
}

/** Remembers the ids that were seen last: all of a span of time, and up to a number of older ones. */
export class RecentIds {
  readonly #max: number;
  readonly #seenMs = new Map<string, number>();
  /** All ids seen since this time are kept. @default none: the number alone counts */
  keepSinceMs = Number.POSITIVE_INFINITY;

  constructor(max: number) {
    this.#max = max;
  }

  has(id: string): boolean {
    return this.#seenMs.has(id);
  }

  /** Notes an id that is seen at `atMs`; false if it was seen before. */
  add(id: string, atMs: number): boolean {
    if (this.#seenMs.has(id)) {
      return false;
    }
    this.#seenMs.set(id, atMs);
    for (const [oldest, seenMs] of this.#seenMs) {
      if (this.#seenMs.size <= this.#max || seenMs >= this.keepSinceMs) {
        break;
      }
      this.#seenMs.delete(oldest);
    }
    return true;
  }
}
