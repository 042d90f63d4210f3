import type { MaybePromise } from "../foundation/maybe-promise.ts";
import { BatchQueue, commitBatch, type Pending } from "./batch-queue.ts";

/** The functions that a {@link LaneQueue} writes with. */
export interface LaneQueueOptions<Entry, Result> {
  /** Says how many entries from the front of a queue make the next batch: at least one. */
  count(queue: readonly Pending<Entry, Result>[]): number;
  /** Writes entries, all or none. With `skipBusy`, it waits for nobody, and answers null for those that it left out. */
  write(entries: readonly Entry[], options: { readonly skipBusy: boolean }): MaybePromise<readonly (Result | null)[]>;
  /** Names all that an entry has to wait for while somebody holds it. */
  laneOf(entry: Entry): string;
}

/**
 * Writes entries that arrive at the same time in one transaction. One for which something is needed that a transaction of the host
 * holds, such as an inbox, goes to a lane of its own, so that others do not wait for it.
 */
export class LaneQueue<Entry, Result> {
  readonly #queue: BatchQueue<Entry, Result, Result | null>;
  readonly #lanes: BusyLanes<Entry, Result>;

  constructor(options: LaneQueueOptions<Entry, Result>) {
    this.#lanes = new BusyLanes(options);
    this.#queue = new BatchQueue({
      count: (queue) => options.count(queue),
      write: (entries) => this.#writeFree(entries, options),
      settle: (pending, written) => (written === null ? this.#lanes.open(pending) : pending.resolve(written)),
    });
  }

  /** Writes `entry`. Resolves after the commit. */
  write(entry: Entry): Promise<Result> {
    return new Promise((resolve, reject) => this.push({ entry, resolve, reject }));
  }

  /** The same for who has a promise already. It is told after the commit, before those behind it in its batch. */
  push(pending: Pending<Entry, Result>): void {
    if (!this.#lanes.take(pending)) {
      this.#queue.push(pending);
    }
  }

  /** Leaves out those whose lane was opened while they waited for their batch: they must not overtake what is in it. */
  #writeFree(entries: readonly Entry[], { write }: LaneQueueOptions<Entry, Result>): MaybePromise<readonly (Result | null)[]> {
    const free = entries.filter((entry) => !this.#lanes.isOpenFor(entry));
    return free.length === entries.length ? write(entries, { skipBusy: true }) : writeSome(entries, free, write);
  }

  /** Resolves once everything handed in so far is written or has failed. */
  async drain(): Promise<void> {
    await this.#queue.drain();
    await this.#lanes.drain();
  }
}

/** Writes the `free` ones of `entries`, and answers null for the others. */
async function writeSome<Entry, Result>(
  entries: readonly Entry[],
  free: readonly Entry[],
  write: LaneQueueOptions<Entry, Result>["write"],
): Promise<readonly (Result | null)[]> {
  const written = free.length === 0 ? [] : await write(free, { skipBusy: true });
  const byEntry = new Map(free.map((entry, index) => [entry, written[index]]));
  return entries.map((entry) => byEntry.get(entry) ?? null);
}

/** The most lanes that wait at once. Each wait holds a database connection. */
const MAX_WAITING = 2;
/** The pause between two looks at a lane that has no turn while it is busy. */
const LOOK_IN_PAUSE_MS = 50;

/**
 * Holds writes that need what a host's transaction has locked, so that other writes do not wait for them. A lane collects the writes
 * that wait for the same, and writes them together once it is free. An empty lane closes.
 *
 * A few lanes wait inside the database. Belfry looks at the remaining lanes in turn, so that what was busy for a moment does not wait
 * behind what is busy for long.
 */
class BusyLanes<Entry, Result> {
  readonly #options: LaneQueueOptions<Entry, Result>;
  readonly #lanes = new Map<string, Pending<Entry, Result>[]>();
  readonly #turns: string[] = [];
  readonly #running = new Set<Promise<void>>();
  #lookingIn: Promise<void> | null = null;

  constructor(options: LaneQueueOptions<Entry, Result>) {
    this.#options = options;
  }

  /** Adds `pending` to its lane if that is open, and returns whether it is. A later write must not overtake an earlier one. */
  take(pending: Pending<Entry, Result>): boolean {
    const lane = this.#laneFor(pending.entry);
    lane?.push(pending);
    return lane !== undefined;
  }

  isOpenFor(entry: Entry): boolean {
    return this.#laneFor(entry) !== undefined;
  }

  #laneFor(entry: Entry): Pending<Entry, Result>[] | undefined {
    // Usually none is open.
    return this.#lanes.size === 0 ? undefined : this.#lanes.get(this.#options.laneOf(entry));
  }

  /** Opens a lane for `pending`, which is busy. */
  open(pending: Pending<Entry, Result>): void {
    if (this.take(pending)) {
      return;
    }
    const key = this.#options.laneOf(pending.entry);
    this.#lanes.set(key, [pending]);
    this.#turns.push(key);
    this.#run();
  }

  /** Resolves once no lane is open. */
  async drain(): Promise<void> {
    while (this.#running.size > 0 || this.#lookingIn !== null) {
      await Promise.all([...this.#running, this.#lookingIn]);
    }
  }

  #run(): void {
    while (this.#running.size < MAX_WAITING) {
      const key = this.#turns.shift();
      if (key === undefined) {
        return;
      }
      const running = this.#empty(key).finally(() => {
        this.#running.delete(running);
        this.#run();
      });
      this.#running.add(running);
    }
    if (this.#turns.length > 0) {
      this.#lookingIn ??= this.#lookIn().finally(() => {
        this.#lookingIn = null;
        this.#run();
      });
    }
  }

  async #empty(key: string): Promise<void> {
    const lane = this.#lanes.get(key) ?? [];
    while (lane.length > 0) {
      await this.#write(lane, { skipBusy: false });
    }
    this.#lanes.delete(key);
  }

  /** Looks at the lanes that have no turn, one after another, until there are none. */
  async #lookIn(): Promise<void> {
    for (let key = this.#turns.shift(); key !== undefined; key = this.#turns.shift()) {
      const lane = this.#lanes.get(key) ?? [];
      const isBusy = await this.#write(lane, { skipBusy: true });
      if (lane.length === 0) {
        this.#lanes.delete(key);
        continue;
      }
      this.#turns.push(key);
      if (this.#running.size < MAX_WAITING) {
        return;
      }
      if (isBusy) {
        await new Promise((resolve) => setTimeout(resolve, LOOK_IN_PAUSE_MS));
      }
    }
  }

  /** Writes the front of a lane. With `skipBusy`, it waits for nobody. Returns whether some of it is still to be written. */
  async #write(lane: Pending<Entry, Result>[], options: { readonly skipBusy: boolean }): Promise<boolean> {
    const busy: Pending<Entry, Result>[] = [];
    await commitBatch<Entry, Result, Result | null>(lane.splice(0, this.#options.count(lane)), {
      write: (entries) => this.#options.write(entries, options),
      settle: (pending, written) => (written === null ? busy.push(pending) : pending.resolve(written)),
    });
    // Writes that came meanwhile go behind these.
    lane.unshift(...busy);
    return busy.length > 0;
  }
}
