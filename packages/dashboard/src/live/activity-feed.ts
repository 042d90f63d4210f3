import type { ActivityPage, ActivitySummary, Clock, InboxItem, Logger } from "@belfry/core";
import type { DashboardTenant } from "../dashboard-options.ts";
import type { LiveEvents } from "../wire.ts";
import { ItemWindow } from "./item-window.ts";
import { LiveMessage } from "./live-message.ts";
import { missedSince } from "./missed-since.ts";
import { type Newest, NotificationWindow } from "./notification-window.ts";

/** How often the feed looks at the database while somebody follows: other processes write to it too. */
const POLL_INTERVAL_MS = 1_000;

/** How soon the feed looks after a change in this process; the same look sees the changes made meanwhile. */
const WAKE_MS = 100;

/** How many of the newest notifications and items the feed compares from look to look. */
const WINDOW = 100;

/** A look reports at most this many new notifications, and items, one by one; for a larger burst it reports only that there is more. */
const MAX_BURST = 1_000;

/** A look reads at most this many changed notifications that are older than the window, one by one. */
const MAX_TOUCHED = 50;

/** The event id before there is any notification; a reader that comes back with it gets everything since. */
const NOTHING_YET = "0";

/** A page that follows. */
export interface LiveListener {
  /** Takes one event. */
  tell(message: LiveMessage): void;
  /** The feed could not read the database, so following cannot begin; no event follows. */
  failed(error: unknown): void;
}

/** The result of a look at the newest notifications. */
interface Look extends Newest {
  /** False if more came in since the last look than a look reports. */
  readonly isComplete: boolean;
}

/** The result of a look at the newest items. */
interface ItemLook {
  readonly items: readonly InboxItem[];
  /** False if more came in since the last look than a look reads: some users are missing. */
  readonly isComplete: boolean;
}

/** The present state of touched notifications. */
interface Touched {
  readonly notifications: readonly ActivitySummary[];
  /** False if more notifications were touched than a look reads. */
  readonly isComplete: boolean;
}

/** Tells all pages of one tenant about changes; it reads the database once for all of them. */
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

  /** Adds a listener, and first tells it what it missed since the notification `lastId`. */
  add(listener: LiveListener, lastId: string | undefined): void {
    this.#listeners.add(listener);
    this.#begin(listener, lastId).catch((error: unknown) => {
      if (this.#listeners.delete(listener)) {
        listener.failed(error);
      }
    });
  }

  /** Removes a listener. */
  remove(listener: LiveListener): void {
    this.#listeners.delete(listener);
    if (this.isIdle) {
      this.#cancelTimer?.();
      this.#cancelTimer = null;
    }
  }

  /** Notes a change in this process. */
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
    // A look that already runs may have begun before the page's last event; the poll makes up for it.
    await (this.#looking ?? this.#look());
    const missed =
      lastId === undefined
        ? { notifications: [], isComplete: true }
        : await missedSince(this.#tenant.operator, { lastId, nowMs: this.#options.clock.now() });
    if (!this.#listeners.has(listener)) {
      return;
    }
    if (!missed.isComplete) {
      listener.tell(this.#message("reset", { reason: "too_much" }));
    }
    for (const notification of missed.notifications) {
      listener.tell(this.#message("notification", { change: "created", notification }));
    }
    listener.tell(this.#message("hello", { newest: this.#notifications.newest }));
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
      // Log this once: the poll repeats every second until the database is back.
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
      // The next look that succeeds reports these.
      this.#touchedIds = new Set([...ids, ...this.#touchedIds]);
      this.#touchedUsers = new Set([...users, ...this.#touchedUsers]);
      throw error;
    }
  }

  /** Reads the newest notifications, back to the first one seen before. */
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

  /** Reads the newest items, back to the first one seen before. */
  async #newestItems(): Promise<ItemLook> {
    const few = await this.#tenant.latest(WINDOW);
    if (few.length < WINDOW || this.#items.meets(few)) {
      return { items: few, isComplete: true };
    }
    const items = await this.#tenant.latest(MAX_BURST);
    return { items, isComplete: items.length < MAX_BURST || this.#items.meets(items) };
  }

  /** Reads touched notifications that are too old to be among the newest. */
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

  /** Tells all listeners. */
  #tell<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void {
    const message = this.#message(name, data);
    for (const listener of this.#listeners) {
      listener.tell(message);
    }
  }

  #message<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): LiveMessage {
    return LiveMessage.of(name, this.#notifications.newest ?? NOTHING_YET, data);
  }
}
