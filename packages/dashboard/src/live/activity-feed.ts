import type { ActivityPage, ActivitySummary, Clock, InboxItem, Logger } from "@belfry/core";
import { sseEvent } from "@belfry/core/http";
import type { DashboardTenant } from "../dashboard-options.ts";
import type { LiveEvents } from "../wire.ts";
import { ItemWindow } from "./item-window.ts";
import { missedSince } from "./missed-since.ts";
import { type Newest, NotificationWindow } from "./notification-window.ts";

/** How often the database is looked at while somebody follows: other processes write to it too. */
const POLL_INTERVAL_MS = 1_000;

/** How soon it is looked at after something happened in this process; what happens meanwhile is seen by the same look. */
const WAKE_MS = 100;

/** How many of the newest notifications and items are compared from look to look. */
const WINDOW = 100;

/** The most new notifications, and items, that a look tells one by one; of a larger burst it says that there is more. */
const MAX_BURST = 1_000;

/** How many changed notifications that are older than the window are read, one by one, in a look. */
const MAX_TOUCHED = 50;

/** The id of an event before there is any notification; a reader that comes back with it is told everything since. */
const NOTHING_YET = "0";

/** A page that follows. */
export interface LiveListener {
  /** `event` is a Server-Sent Event, whole. */
  tell(event: string): void;
  /** The database could not be read, so following cannot begin; the listener is not told anything. */
  failed(error: unknown): void;
}

/** What a look at the newest notifications found. */
interface Look extends Newest {
  /** False when more came in since the last look than is told. */
  readonly isComplete: boolean;
}

/** What a look at the newest items found. */
interface ItemLook {
  readonly items: readonly InboxItem[];
  /** False when more came in since the last look than is looked at: their users are not named. */
  readonly isComplete: boolean;
}

/** What was touched, as it is now. */
interface Touched {
  readonly notifications: readonly ActivitySummary[];
  /** False when more was touched than is read. */
  readonly isComplete: boolean;
}

/** What one tenant's pages are told: read from the database, once for all of them. */
export class ActivityFeed {
  readonly #tenant: DashboardTenant;
  readonly #options: { readonly logger: Logger; readonly clock: Clock };
  readonly #listeners = new Set<LiveListener>();
  readonly #notifications = new NotificationWindow();
  readonly #items = new ItemWindow();
  #touchedIds = new Set<string>();
  #touchedUsers = new Set<string>();
  #looking: Promise<void> | null = null;
  #cancelTimer: (() => void) | null = null;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #hasFailed = false;

  constructor(tenant: DashboardTenant, options: { readonly logger: Logger; readonly clock: Clock }) {
    this.#tenant = tenant;
    this.#options = options;
  }

  /** Whether nobody follows. */
  get isIdle(): boolean {
    return this.#listeners.size === 0;
  }

  /** Begins to tell a listener, first what it missed since the notification `lastId`. */
  add(listener: LiveListener, lastId: string | undefined): void {
    this.#listeners.add(listener);
    this.#begin(listener, lastId).catch((error: unknown) => {
      if (this.#listeners.delete(listener)) {
        listener.failed(error);
      }
    });
  }

  /** Tells a listener nothing any more. */
  remove(listener: LiveListener): void {
    this.#listeners.delete(listener);
    if (this.isIdle) {
      this.#cancelTimer?.();
      this.#cancelTimer = null;
    }
  }

  /** Something happened in this process. */
  touch({ id, userId }: { readonly id?: string; readonly userId?: string }): void {
    if (id !== undefined) {
      this.#touchedIds.add(id);
    }
    if (userId !== undefined) {
      this.#touchedUsers.add(userId);
    }
    this.#lookWithin(WAKE_MS);
  }

  async #begin(listener: LiveListener, lastId: string | undefined): Promise<void> {
    // A look that runs already may have begun before whatever the page saw last; the poll makes up for it.
    await (this.#looking ?? this.#look());
    const missed =
      lastId === undefined
        ? { notifications: [], isComplete: true }
        : await missedSince(this.#tenant.operator, { lastId, nowMs: this.#options.clock.now() });
    if (!this.#listeners.has(listener)) {
      return;
    }
    if (!missed.isComplete) {
      listener.tell(this.#event("reset", { reason: "too_much" }));
    }
    for (const notification of missed.notifications) {
      listener.tell(this.#event("notification", { change: "created", notification }));
    }
    listener.tell(this.#event("hello", { newest: this.#notifications.newest }));
    this.#lookWithin(POLL_INTERVAL_MS);
  }

  /** Looks at the database after `delayMs` at the latest. */
  #lookWithin(delayMs: number): void {
    const dueAtMs = this.#options.clock.now() + delayMs;
    if (this.isIdle || (this.#cancelTimer !== null && this.#dueAtMs <= dueAtMs)) {
      return;
    }
    this.#cancelTimer?.();
    this.#dueAtMs = dueAtMs;
    this.#cancelTimer = this.#options.clock.after(delayMs, () => {
      this.#cancelTimer = null;
      void this.#lookAgain();
    });
  }

  async #lookAgain(): Promise<void> {
    try {
      await (this.#looking ?? this.#look());
      this.#hasFailed = false;
    } catch (error) {
      // Said once: the poll comes back every second until the database does.
      if (!this.#hasFailed && !this.isIdle) {
        this.#options.logger.warn({ error }, "The dashboard could not look for changes; it tries again every second.");
      }
      this.#hasFailed = true;
    }
    this.#lookWithin(POLL_INTERVAL_MS);
  }

  #look(): Promise<void> {
    this.#looking = this.#read().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #read(): Promise<void> {
    const [ids, users] = [this.#touchedIds, this.#touchedUsers];
    this.#touchedIds = new Set();
    this.#touchedUsers = new Set();
    try {
      const [newest, items] = await Promise.all([this.#newest(), this.#newestItems()]);
      const older = await this.#older(ids, newest.notifications);
      this.#compare({ newest, older, items }, { ids, users });
    } catch (error) {
      // What they touched is told by the look that succeeds.
      this.#touchedIds = new Set([...ids, ...this.#touchedIds]);
      this.#touchedUsers = new Set([...users, ...this.#touchedUsers]);
      throw error;
    }
  }

  /** The newest notifications: as far back as to those that were seen before, whatever came in meanwhile. */
  async #newest(): Promise<Look> {
    const notifications: ActivitySummary[] = [];
    let cursor: string | null = null;
    do {
      const page: ActivityPage = await this.#tenant.operator.search({ limit: WINDOW, ...(cursor === null ? {} : { cursor }) });
      notifications.push(...page.notifications);
      cursor = page.nextCursor;
    } while (cursor !== null && !this.#notifications.meets(notifications) && notifications.length < MAX_BURST);
    return { notifications, isWhole: cursor === null, isComplete: cursor === null || this.#notifications.meets(notifications) };
  }

  /** The newest items, of as many as it takes to reach those that were seen before. */
  async #newestItems(): Promise<ItemLook> {
    const few = await this.#tenant.latest(WINDOW);
    if (few.length < WINDOW || this.#items.meets(few)) {
      return { items: few, isComplete: true };
    }
    const items = await this.#tenant.latest(MAX_BURST);
    return { items, isComplete: items.length < MAX_BURST || this.#items.meets(items) };
  }

  /** What was touched and is too old to be among the newest. */
  async #older(ids: ReadonlySet<string>, newest: readonly ActivitySummary[]): Promise<Touched> {
    const known = new Set(newest.map(({ id }) => id));
    const wanted = [...ids].filter((id) => !known.has(id));
    const found = await Promise.all(wanted.slice(0, MAX_TOUCHED).map((id) => this.#tenant.operator.search({ id, limit: 1 })));
    return { notifications: found.flatMap((page) => page.notifications), isComplete: wanted.length <= MAX_TOUCHED };
  }

  #compare(
    seen: { readonly newest: Look; readonly older: Touched; readonly items: ItemLook },
    touched: { readonly ids: ReadonlySet<string>; readonly users: ReadonlySet<string> },
  ): void {
    const { created, changed, hasRemoved } = this.#notifications.next(seen.newest, touched.ids);
    for (const notification of created) {
      this.#tell("notification", { change: "created", notification });
    }
    for (const notification of [...changed, ...seen.older.notifications]) {
      this.#tell("notification", { change: "changed", notification });
    }
    const userIds = [...new Set([...this.#items.next(seen.items.items), ...touched.users])];
    if (userIds.length > 0) {
      this.#tell("inbox", { userIds });
    }
    const isComplete = seen.newest.isComplete && seen.older.isComplete && seen.items.isComplete;
    if (!isComplete || hasRemoved) {
      this.#tell("reset", { reason: isComplete ? "removed" : "too_much" });
    }
  }

  /** Made once for all who listen. */
  #tell<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void {
    const event = this.#event(name, data);
    for (const listener of this.#listeners) {
      listener.tell(event);
    }
  }

  #event<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): string {
    return sseEvent({ event: name, id: this.#notifications.newest ?? NOTHING_YET, data: JSON.stringify(data) });
  }
}
