import type { Owner, WorkContext } from "../foundation/context.ts";
import type { InboxCounts, InboxItem, InboxStorage } from "../inbox/index.ts";
import { Loop, type NextRun } from "../work/loop.ts";
import { feedName } from "./feed-name.ts";

/** How long to wait for an inbox that another transaction holds, or that could not be changed. */
const AGAIN_MS = 1_000;

/** The parts that do what is due in inboxes. */
export interface DueFeedsOptions extends Omit<WorkContext, "ready"> {
  readonly inbox: Pick<InboxStorage, "counts">;
  /** Whether anybody follows an inbox here. */
  follows(owner: Owner): boolean;
  /** Whether something is due in an inbox, by its counts. */
  isDue(counts: InboxCounts): boolean;
  /** Does what is due in an inbox, and tells everybody. False if something is left. */
  applyDue(owner: Owner): Promise<boolean>;
}

/** An inbox that the clock changes. */
interface Due {
  readonly owner: Owner;
  readonly atMs: number;
}

/**
 * The times at which the clock changes the inboxes that somebody follows here: so who follows one hears of it at its time, whoever
 * else looks for what is due, and when. A feed learns of a time with the counts of its inbox, or with an item that it tells of.
 */
export class DueFeeds {
  /** Runs when the next inbox is due: one that is followed, so the storage is open until the feeds have ended. */
  readonly loop: Loop;
  readonly #options: DueFeedsOptions;
  readonly #due = new Map<string, Due>();
  /** When the loop runs at the latest, while it does not run. */
  #nextMs = Number.POSITIVE_INFINITY;

  constructor(options: DueFeedsOptions) {
    this.#options = options;
    const { clock, logger } = options;
    this.loop = new Loop({ task: "do what is due in inboxes that are followed", run: () => this.#run(), clock, logger });
  }

  /** Does what is due in an inbox, notes when something is due again, and answers its counts. */
  async look(owner: Owner): Promise<InboxCounts> {
    const { inbox } = this.#options;
    let counts = await inbox.counts(owner);
    let isDone = true;
    if (this.#options.isDue(counts)) {
      isDone = await this.#options.applyDue(owner);
      counts = await inbox.counts(owner);
    }
    if (!isDone) {
      this.#noteTime(owner, this.#options.clock.now() + AGAIN_MS);
    } else if (counts.dueAt !== undefined) {
      this.#noteTime(owner, counts.dueAt.getTime());
    }
    return counts;
  }

  /** Notes when the clock changes an item of an inbox that is followed. */
  note(owner: Owner, item: Pick<InboxItem, "snoozedUntil" | "expiresAt"> | null): void {
    for (const time of [item?.snoozedUntil ?? null, item?.expiresAt ?? null]) {
      if (time !== null) {
        this.#noteTime(owner, time.getTime());
      }
    }
  }

  /** Nobody follows the inbox any more. */
  forget({ tenant, userId }: Owner): void {
    this.#due.delete(feedName(tenant, userId));
  }

  #noteTime(owner: Owner, atMs: number): void {
    const name = feedName(owner.tenant, owner.userId);
    const before = this.#due.get(name);
    if (this.#options.follows(owner) && (before === undefined || atMs < before.atMs)) {
      this.#due.set(name, { owner, atMs });
      if (atMs < this.#nextMs) {
        this.loop.wake();
      }
    }
  }

  async #run(): Promise<NextRun> {
    // What is noted meanwhile makes it run again.
    this.#nextMs = Number.POSITIVE_INFINITY;
    for (const [name, { owner, atMs }] of this.#due) {
      if (atMs <= this.#options.clock.now() && !this.loop.isStopping) {
        await this.#lookAgain(name, owner);
      }
    }
    this.#nextMs = [...this.#due.values()].reduce((first, { atMs }) => Math.min(first, atMs), Number.POSITIVE_INFINITY);
    return this.#nextMs === Number.POSITIVE_INFINITY ? null : Math.max(this.#nextMs - this.#options.clock.now(), 1);
  }

  async #lookAgain(name: string, owner: Owner): Promise<void> {
    this.#due.delete(name);
    try {
      await this.look(owner);
    } catch (error) {
      this.#noteTime(owner, this.#options.clock.now());
      throw error;
    }
  }
}
