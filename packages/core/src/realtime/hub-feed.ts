import type { HubStorage } from "../hub-storage.ts";
import { uuidTimeMs } from "../ids.ts";
import type { HubEvent, SettledRecord } from "../model/hub.ts";
import type { HubSignal } from "../transport.ts";
import { RecentIds } from "./recent-ids.ts";

/** What somebody who follows a source is told: each event once, and then once for each of its handlers. */
export interface HubListener {
  onEvent(event: HubEvent): void;
  /** A handler is done with an event: COMPLETED or FAILED. */
  onSettled(record: SettledRecord): void;
}

/** What a {@link HubFeed} works with. */
export interface HubFeedOptions {
  readonly tenant: string;
  readonly source: string;
  readonly hub: HubStorage;
  now(): number;
  onError(error: unknown): void;
}

const PAGE = 500;
/** A look at the database reaches back over what others had written, but not committed, at the last look. */
const OVERLAP_MS = 10_000;
const REMEMBERED = 50_000;
/** How many signals one read of the database answers. */
const BATCH = 200;

type Pending = HubSignal | "gap";

/** One source as this process's subscribers see it: makes of signals, which may be late, repeated or lost, a stream with everything once. */
export class HubFeed {
  readonly followers = new Set<HubListener>();
  readonly #options: HubFeedOptions;
  readonly #openedMs: number;
  readonly #toldEvents = new RecentIds(REMEMBERED);
  readonly #toldRecords = new RecentIds(REMEMBERED);
  readonly #queue: Pending[] = [];
  #lookedMs: number;
  #working: Promise<void> | null = null;

  constructor(options: HubFeedOptions) {
    this.#options = options;
    this.#openedMs = options.now();
    this.#lookedMs = this.#openedMs;
  }

  signal(signal: HubSignal): void {
    this.#queue.push(signal);
    this.#work();
  }

  /** Signals may be lost: reads what came since the last look. */
  gap(): void {
    this.#queue.push("gap");
    this.#work();
  }

  #work(): void {
    if (this.#working !== null) {
      return;
    }
    // Signals of this process carry all there is to tell, and are passed on before this returns.
    while (this.#queue.length > 0) {
      const batch = this.#takeBatch();
      const pending = batch === "gap" ? this.#look() : this.#pass(batch);
      if (pending !== null) {
        this.#working = pending
          .catch((error: unknown) => this.#options.onError(error))
          .finally(() => {
            this.#working = null;
            this.#work();
          });
        return;
      }
    }
  }

  #takeBatch(): readonly HubSignal[] | "gap" {
    if (this.#queue[0] === "gap") {
      this.#queue.shift();
      return "gap";
    }
    const end = this.#queue.findIndex((pending, index) => pending === "gap" || index === BATCH);
    return this.#queue.splice(0, end === -1 ? this.#queue.length : end) as HubSignal[];
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

  async #load(signals: readonly HubSignal[], events: Map<string, HubEvent>, records: Map<string, SettledRecord>): Promise<void> {
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
    records: readonly SettledRecord[],
  ): readonly string[] {
    const signalled = signals.filter(({ change }) => change === "event").map(({ id }) => id);
    const before = records.map(({ notificationId }) => notificationId).filter((id) => this.#isOurs(id));
    return [...new Set([...signalled, ...before])].filter((id) => !events.has(id) && !this.#toldEvents.has(id));
  }

  #tellAll(signals: readonly HubSignal[], events: ReadonlyMap<string, HubEvent>, records: ReadonlyMap<string, SettledRecord>): void {
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

  /** Reads from the database what came since the last look, and tells what was not told. */
  async #look(): Promise<void> {
    const { tenant, source, hub, now } = this.#options;
    const startedMs = now();
    const since = new Date(Math.max(this.#lookedMs - OVERLAP_MS, this.#openedMs));
    await this.#pages(since, async (from) => {
      const events = await hub.listEventsSince(tenant, source, { since: from, limit: PAGE });
      for (const event of events) {
        this.#tellEvent(event);
      }
      return events.map(({ receivedAt }) => receivedAt);
    });
    await this.#pages(since, async (from) => {
      const records = await hub.listSettledSince(tenant, source, { since: from, limit: PAGE });
      for (const record of records) {
        this.#tellRecord(record);
      }
      return records.map(({ completedAt }) => completedAt ?? from);
    });
    this.#lookedMs = startedMs;
  }

  async #pages(since: Date, read: (from: Date) => Promise<readonly Date[]>): Promise<void> {
    let from = since;
    for (;;) {
      const times = await read(from);
      const last = times.at(-1);
      // A whole page within one millisecond would be read for ever.
      if (last === undefined || times.length < PAGE || last.getTime() === from.getTime()) {
        return;
      }
      from = last;
    }
  }

  /** Whether an event came in since somebody follows: what came before is not replayed. */
  #isOurs(eventId: string): boolean {
    return uuidTimeMs(eventId) >= this.#openedMs;
  }

  #tellEvent(event: HubEvent | undefined): void {
    if (event && this.#toldEvents.add(event.id)) {
      for (const follower of this.followers) {
        follower.onEvent(event);
      }
    }
  }

  #tellRecord(record: SettledRecord | undefined): void {
    if (record && this.#toldRecords.add(record.id)) {
      for (const follower of this.followers) {
        follower.onSettled(record);
      }
    }
  }
}
