import type { FeedSubscription, WorkContext } from "../foundation/context.ts";
import { BelfryError } from "../foundation/errors.ts";
import { Loop, type NextRun } from "../work/loop.ts";
import type { Feed } from "./feed.ts";
import type { Transport } from "./transport.ts";

/** Options of one kind of feeds. */
export interface FeedsOptions<Key, One> {
  /** Names the kind in the log, for example `an inbox`. */
  readonly name: string;
  /** The interval, in milliseconds, at which to look for changes whose signals were lost; 0 for never. */
  readonly pollIntervalMs: number;
  /** Hears which feeds are open here. */
  readonly transport: Pick<Transport, "follow" | "unfollow">;
  /** Makes a new feed. */
  open(key: Key): One;
  /** Learns where a new feed stands, before anybody is told anything. @default nothing to learn */
  opened?(feed: One): Promise<void>;
  /** The last follower left. */
  left?(feed: One): void;
  /** Looks for changes whose signals were lost. */
  poll(feeds: readonly One[]): Promise<void> | void;
}

/** A follower, with the function that begins it. */
export interface Following<Follower> {
  readonly follower: Follower & Leaving;
  /** Called once the feed is open; what it rejects with ends the subscription. @default nothing */
  begin?(): Promise<void>;
}

/** A follower that may be told that its subscription ends. */
export interface Leaving {
  close?(): void;
}

/** Where a subscription can be ended. */
interface Ending<One, Follower> {
  end(name: string, feed: One, follower: Follower): void;
}

const DONE = Promise.resolve();

/** One follower of a feed, until it leaves. It keeps nothing of how it began. */
class Followed<One, Follower extends Leaving> implements FeedSubscription {
  ready: Promise<void> = DONE;
  readonly #entry: Entry<One, Follower>;
  readonly #follower: Follower;

  constructor(entry: Entry<One, Follower>, follower: Follower) {
    this.#entry = entry;
    this.#follower = follower;
  }

  /** Sets {@link ready}, and lets go of it once it is done. */
  begin(ready: Promise<void>): this {
    this.ready = ready;
    ready.then(
      () => {
        this.ready = DONE;
      },
      () => {},
    );
    return this;
  }

  close(): void {
    this.#follower.close?.();
    this.#entry.ending.end(this.#entry.name, this.#entry.feed, this.#follower);
  }
}

interface Entry<One, Follower> {
  readonly ending: Ending<One, Follower>;
  readonly name: string;
  readonly feed: One;
  readonly opened: Promise<void>;
}

/**
 * The feeds that subscribers in this process follow. A feed opens for its first follower and closes after its last one. A
 * stop of the service ends no subscription: the feeds pause, and read what they missed once it starts again.
 */
export class Feeds<Key, Signal, Follower, One extends Feed<Signal, Follower>> {
  protected readonly context: WorkContext;
  readonly #options: FeedsOptions<Key, One>;
  readonly #entries = new Map<string, Entry<One, Follower>>();
  readonly #polling: Loop;
  readonly #ending: Ending<One, Follower> = { end: (name, feed, follower) => this.#close(name, feed, follower) };

  /** @param context whose `ready` resolves once signals arrive, too */
  constructor(context: WorkContext, options: FeedsOptions<Key, One>) {
    this.context = context;
    this.#options = options;
    const { clock, logger } = context;
    this.#polling = new Loop({
      task: `look for lost signals of ${options.name}`,
      run: () => this.#poll(),
      ...(options.pollIntervalMs > 0 && { retryMs: options.pollIntervalMs }),
      level: "warn",
      clock,
      logger,
    });
  }

  /** Passes a signal to the feed of `name`, if anybody follows it. */
  signal(name: string, signal: Signal): void {
    this.#entries.get(name)?.feed.signal(signal);
  }

  /**
   * Follows the feed called `name`.
   *
   * @param following makes the follower for the feed, which is there already or is opened from `key`
   */
  protected follow(name: string, key: Key, following: (feed: One) => Following<Follower>): FeedSubscription {
    const entry = this.#entries.get(name) ?? this.#open(name, key);
    const { follower, begin } = following(entry.feed);
    entry.feed.followers.add(follower);
    const followed = new Followed<One, Follower & Leaving>(entry, follower);
    return followed.begin(this.#begin(entry, begin, { close: () => followed.close(), isOpen: () => entry.feed.followers.has(follower) }));
  }

  // Apart from `follow`, so that what is open keeps nothing of its beginning.
  #begin(
    { opened }: Entry<One, Follower>,
    begin: (() => Promise<void>) | undefined,
    followed: { close(): void; isOpen(): boolean },
  ): Promise<void> {
    const ready = opened
      .then(() => begin?.())
      .catch(async (error: unknown) => {
        // Whoever has closed it is not waiting any longer.
        if (followed.isOpen()) {
          followed.close();
          // A stop says so itself, whatever it did to the read.
          await this.context.ready();
          throw error;
        }
      });
    const { logger } = this.context;
    ready.catch((error: unknown) => {
      // Whoever stops the service knows, and whoever subscribed is told.
      if (!(error instanceof BelfryError && error.code === "SERVICE_STOPPED")) {
        logger.warn({ error }, `Belfry could not begin to follow ${this.#options.name}; the subscription is over.`);
      }
    });
    return ready;
  }

  /** Signals of every feed may have been lost. */
  gap(): void {
    for (const { feed } of this.#entries.values()) {
      feed.gap();
    }
  }

  /** Looks now for what the feeds were not told. */
  look(): void {
    if (this.#entries.size > 0) {
      this.#polling.wake();
    }
  }

  /** Lets the feeds go on after {@link stop}, once they are woken. */
  start(): void {
    this.#polling.start();
    for (const { feed } of this.#entries.values()) {
      feed.start();
    }
    this.#pollLater();
  }

  /** Makes the feeds read what they missed while they were stopped. */
  wake(): void {
    for (const { feed } of this.#entries.values()) {
      feed.wake();
    }
  }

  /** Reads nothing and tells nobody anything, before {@link start}. */
  async stop(): Promise<void> {
    const feeds = [...this.#entries.values()].map(({ feed }) => feed.stop());
    await Promise.all([...feeds, this.#polling.stop()]);
  }

  #open(name: string, key: Key): Entry<One, Follower> {
    const feed = this.#options.open(key);
    const entry = { ending: this.#ending, name, feed, opened: this.#learn(feed, this.#options.transport.follow?.(name)) };
    this.#entries.set(name, entry);
    this.#pollLater();
    return entry;
  }

  /** @param followed resolves once the feed's signals arrive; what was before is read after that */
  async #learn(feed: One, followed: Promise<void> | undefined): Promise<void> {
    await this.context.ready();
    await followed;
    await this.#options.opened?.(feed);
  }

  #close(name: string, feed: One, follower: Follower): void {
    feed.followers.delete(follower);
    if (feed.followers.size === 0 && this.#entries.get(name)?.feed === feed) {
      this.#entries.delete(name);
      void feed.stop();
      this.#options.transport.unfollow?.(name);
      this.#options.left?.(feed);
    }
  }

  #pollLater(): void {
    const { pollIntervalMs } = this.#options;
    if (pollIntervalMs > 0 && this.#entries.size > 0) {
      this.#polling.wakeIn(pollIntervalMs);
    }
  }

  #poll(): NextRun | Promise<NextRun> {
    const { pollIntervalMs: lookInMs } = this.#options;
    const next = () => (lookInMs > 0 && this.#entries.size > 0 ? { dueInMs: null, lookInMs } : null);
    const polling = this.#options.poll([...this.#entries.values()].map(({ feed }) => feed));
    return polling instanceof Promise ? polling.then(next) : next();
  }
}
