import { uuidTimeMs } from "../foundation/ids.ts";
import type { HubEvent, HubListener, HubSignal, HubStorage, SourceRecord } from "../hub/index.ts";
import { Feed, type FeedOptions, type Pending } from "./feeds.ts";
import { RecentIds } from "./recent-ids.ts";

/** The parts that a {@link HubFeed} uses. */
export interface HubFeedOptions extends FeedOptions {
  readonly tenant: string;
  readonly source: string;
  readonly hub: HubStorage;
  /** Whether signals may be lost, so that the feed looks at the database from time to time. */
  readonly isLossy: boolean;
}

/** The number of events in one page. It is small, so that a reader can take a page of long events. */
const EVENTS_PAGE = 200;
const RECORDS_PAGE = 1_000;
/** A look at the database reaches back over what others had written, but not committed, at the last look. */
const OVERLAP_MS = 10_000;
const REMEMBERED = 50_000;
/** The most signals that one read of the database covers. */
const BATCH = 200;

interface Range {
  readonly since: Date;
  readonly limit: number;
}

/** One source as this process's subscribers see it: makes of signals, which may be late, repeated or lost, a stream with everything once. */
export class HubFeed extends Feed<HubSignal, HubListener> {
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
    const missingRecords = signals.filter(({ change, id }) => change === "settled" && !records.has(id) && !this.#toldRecords.has(id));
    const missingEvents = this.#missingEvents(signals, events, [...records.values()]);
    if (missingRecords.length === 0 && missingEvents.length === 0) {
      this.#tellAll(signals, events, records);
      return null;
    }
    return this.#load(signals, events, records);
  }

  async #load(signals: readonly HubSignal[], events: Map<string, HubEvent>, records: Map<string, SourceRecord>): Promise<void> {
    const { tenant, source, hub } = this.#options;
    const recordIds = signals.flatMap(({ change, id }) => (change === "settled" && !records.has(id) ? [id] : []));
    if (recordIds.length > 0) {
      for (const record of await hub.findRecords(tenant, recordIds)) {
        records.set(record.id, { ...record, source });
      }
    }
    const eventIds = this.#missingEvents(signals, events, [...records.values()]);
    if (eventIds.length > 0) {
      for (const event of await hub.findEvents(tenant, eventIds)) {
        events.set(event.id, event);
      }
    }
    this.#tellAll(signals, events, records);
  }

  /** Events to be told of, first of all or before what became of them, whose content did not come along. */
  #missingEvents(
    signals: readonly HubSignal[],
    events: ReadonlyMap<string, HubEvent>,
    records: readonly SourceRecord[],
  ): readonly string[] {
    const signalled = signals.filter(({ change }) => change === "event").map(({ id }) => id);
    return [...new Set([...signalled, ...this.#untold(records)])].filter((id) => !events.has(id) && !this.#toldEvents.has(id));
  }

  /**
   * Events whose results are to be told, but which were perhaps not told themselves: young ones, whose own signal may be late
   * or lost. Older ones were told, or a look has found them; what came in before anybody followed is not replayed.
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

  /** Reads the changes since the last read and passes on the ones that were not passed on yet. */
  async #look(): Promise<void> {
    const { tenant, source, hub, clock } = this.#options;
    const startedMs = clock.now();
    const since = new Date(Math.max(this.#lookedMs - OVERLAP_MS, this.#openedMs + 1));
    await this.#pages({ since, limit: EVENTS_PAGE }, async (range) => {
      const events = await hub.listEventsSince(tenant, source, range);
      for (const event of events) {
        this.#tellEvent(event);
      }
      return events.map(({ receivedAt }) => receivedAt);
    });
    await this.#pages({ since, limit: RECORDS_PAGE }, async (range) => {
      const records = await hub.listSettledSince(tenant, source, range);
      // What came in since the events were read.
      const missing = this.#untold(records);
      for (const event of missing.length === 0 ? [] : await hub.findEvents(tenant, missing)) {
        this.#tellEvent(event);
      }
      for (const record of records) {
        this.#tellRecord(record);
      }
      return records.map(({ completedAt }) => completedAt ?? range.since);
    });
    this.#lookedMs = startedMs;
    this.#remember();
  }

  /** What the next look finds again has to be known by then, however much it is: twice the overlap, as clocks may differ. */
  #remember(): void {
    for (const told of this.#options.isLossy ? [this.#toldEvents, this.#toldRecords] : []) {
      told.keepSinceMs = this.#lookedMs - 2 * OVERLAP_MS;
    }
  }

  async #pages(first: Range, read: (range: Range) => Promise<readonly Date[]>): Promise<void> {
    let range = first;
    while (!this.isStopping) {
      const times = await read(range);
      const last = times.at(-1);
      if (last === undefined || times.length < range.limit) {
        return;
      }
      // A whole page of one millisecond leads no further: it has to be a larger one.
      const isStuck = last.getTime() === range.since.getTime();
      range = { since: last, limit: isStuck ? range.limit * 2 : first.limit };
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

/** Takes the signals up to the next look at the database off `queue`, not too many; none if that look is first. */
function takeBatch(queue: Pending<HubSignal>[]): readonly HubSignal[] {
  const end = queue.findIndex((pending, index) => typeof pending === "string" || index === BATCH);
  const batch = queue.splice(0, end === -1 ? queue.length : Math.max(end, 1));
  return batch.filter((pending) => typeof pending !== "string");
}
