import type { Owner } from "../foundation/context.ts";
import { Loop, type NextRun } from "../work/loop.ts";
import { Cancellation, nextTurn } from "../work/timing.ts";
import { CursorCircles, readNextPage } from "./page-broadcasts.ts";
import { type BroadcastContext, placeBroadcasts } from "./place-broadcasts.ts";

/** How often a process looks for broadcasts that another one scheduled. */
const POLL_INTERVAL_MS = 5_000;
/** How long to wait for an inbox that another transaction holds. */
const AGAIN_MS = 1_000;

/** The inboxes that somebody follows in this process. */
export interface FollowedInboxes {
  /** @param tenant whose; null for all */
  ownersOf(tenant: string | null): readonly Owner[];
}

/**
 * Places broadcasts for the users who are connected to this process, inbox by inbox, sends those whose time has come, and reads the users of
 * those that go over other channels. Other
 * processes do the same for theirs; a user who is connected to several gets each broadcast once, under the lock of the inbox.
 */
export class Broadcasting {
  /** Places for those who are connected. A signal wakes it, and whoever finds that an inbox is behind. */
  readonly #placing: Loop;
  /** Sends what was scheduled, and runs when the next one is due. */
  readonly #sending: Loop;
  /** Reads users from the host, page by page. It runs again once the users that were read before are written. */
  readonly #paging: Loop;
  /** Ends the call of the host's directory at a stop. */
  #stopping = new Cancellation();
  readonly #context: BroadcastContext;
  readonly #followed: FollowedInboxes;
  readonly #circles = new CursorCircles();
  readonly #waiting = new Map<string, Owner>();
  /** Those that run in this process. */
  readonly #loops: readonly Loop[];

  /** @param work whether this process sends what was scheduled, and reads users; each places for those who are connected to it */
  constructor(context: BroadcastContext, followed: FollowedInboxes, work: { readonly delivers: boolean }) {
    this.#context = context;
    this.#followed = followed;
    const { clock, logger } = context;
    this.#placing = new Loop({ task: "place broadcasts for who is connected", run: () => this.#placeAll(), clock, logger });
    this.#sending = new Loop({ task: "send scheduled broadcasts", run: () => this.#sendAll(), clock, logger });
    this.#paging = new Loop({ task: "read the users of broadcasts", run: () => this.#readAll(), clock, logger });
    this.#loops = work.delivers ? [this.#placing, this.#sending, this.#paging] : [this.#placing];
  }

  /** Lets wake-ups work after a stop. */
  start(): void {
    this.#stopping = new Cancellation();
    for (const loop of this.#loops) {
      loop.start();
    }
  }

  /** Does all that is due. */
  wake(): void {
    for (const loop of this.#loops) {
      loop.wake();
    }
  }

  /** Reads the next users, now that those before are written. */
  readOn(): void {
    if (this.#loops.includes(this.#paging)) {
      this.#paging.wake();
    }
  }

  /** Lets what is under way end, and begins nothing more. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error("The service stops."));
    await Promise.all(this.#loops.map((loop) => loop.stop()));
  }

  /** Places a tenant's broadcasts for those who are connected here. @param tenant null for all tenants */
  placeFor(tenant: string | null): void {
    this.add(this.#followed.ownersOf(tenant));
  }

  /** Places broadcasts in these inboxes, soon. */
  add(owners: readonly Owner[]): void {
    for (const owner of owners) {
      this.#waiting.set(JSON.stringify([owner.tenant, owner.userId]), owner);
    }
    if (owners.length > 0) {
      this.#placing.wake();
    }
  }

  async #placeAll(): Promise<NextRun> {
    await this.#context.ready();
    const held: Owner[] = [];
    for (const [key, owner] of this.#waiting) {
      if (this.#placing.isStopping) {
        return null;
      }
      const placed = await placeBroadcasts(this.#context, owner);
      this.#waiting.delete(key);
      if (placed === "more") {
        // Behind those who wait for their first ones.
        this.#waiting.set(key, owner);
      } else if (placed === "held") {
        held.push(owner);
      }
      await nextTurn();
    }
    for (const owner of held) {
      this.#waiting.set(JSON.stringify([owner.tenant, owner.userId]), owner);
    }
    return held.length > 0 ? AGAIN_MS : null;
  }

  async #readAll(): Promise<NextRun> {
    const { fanOut, ready } = this.#context;
    await ready();
    while (!this.#paging.isStopping) {
      if (!(await readNextPage(this.#context, this.#circles, this.#stopping))) {
        return { dueInMs: null, lookInMs: POLL_INTERVAL_MS };
      }
      fanOut();
      await nextTurn();
    }
    return null;
  }

  async #sendAll(): Promise<NextRun> {
    const { broadcasts, clock, events, ready, placeConnected } = this.#context;
    await ready();
    for (;;) {
      const { sent, nextDueAt } = await broadcasts.sendDue(new Date(clock.now()));
      for (const { changed } of sent) {
        if (changed !== null) {
          events.emit("send.changed", changed);
        }
      }
      for (const tenant of new Set(sent.map((one) => one.tenant))) {
        placeConnected(tenant);
      }
      if (sent.length > 0) {
        this.#paging.wake();
      }
      const leftMs = nextDueAt === null ? null : nextDueAt.getTime() - clock.now();
      if (leftMs === null || leftMs > 0 || this.#sending.isStopping) {
        return { dueInMs: leftMs, lookInMs: POLL_INTERVAL_MS };
      }
      await nextTurn();
    }
  }
}
