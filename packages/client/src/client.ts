import { added } from "./added.ts";
import type { GroupChange, ItemChange, WholeChange } from "./change.ts";
import type { ConnectionStatus } from "./connection.ts";
import type { ClientEvents } from "./events.ts";
import { type Filter, filterKey } from "./filter.ts";
import type { GroupsInput, GroupsPage } from "./groups.ts";
import type { Ask } from "./http.ts";
import type { Item, ItemOf, Tally } from "./item.ts";
import type { ClientOptions } from "./options.ts";
import { Preferences } from "./preferences.ts";
import type { Push } from "./push/push.ts";
import type { ClientError, Result } from "./result.ts";
import { Session } from "./session.ts";
import { type InitialState, stateOf } from "./snapshot.ts";
import { Topics } from "./topics.ts";
import { isEqual, type ViewSnapshot, ViewState } from "./view.ts";

const PAGE_SIZE = 20;

/** The inbox at one moment. It is immutable, and the same object until something changes. */
export interface ClientSnapshot {
  /** The counts of active items, with the effect of changes that wait; null before they are known. */
  readonly counts: Tally | null;
  readonly connection: ConnectionStatus;
  /** How many changes the server has not answered yet. */
  readonly pending: number;
  /** Why there is no connection. */
  readonly error: ClientError | null;
}

/** The items of the inbox that match a filter. */
export interface View<Shown extends Item = Item> {
  /** Calls `listener` whenever the snapshot changes. Returns the function that ends it. A started client loads a view that somebody listens to. */
  subscribe(listener: () => void): () => void;
  getSnapshot(): ViewSnapshot<Shown>;
  /** Loads the next page of older items. If that fails, the snapshot says why. */
  fetchMore(): Promise<void>;
  /** Loads the view anew. If that fails, the snapshot says why. */
  refresh(): Promise<void>;
}

/** Which items a change of many covers. */
export interface ManyInput<Shown extends Item = Item> {
  /** Only items that match. @default all */
  readonly filter?: Filter<Shown>;
  /** Only items up to this `seq`, such as that of the newest item on the screen. @default all that are there when the server is asked */
  readonly upTo?: number;
}

/** The changes of one group: see {@link InboxClient.group}. */
export interface GroupChanges {
  markRead(range?: GroupRange): Promise<Result<number>>;
  archive(range?: GroupRange): Promise<Result<number>>;
  snooze(until: Date, range?: GroupRange): Promise<Result<number>>;
  remove(range?: GroupRange): Promise<Result<number>>;
}

/** Which items of a group to change. */
export interface GroupRange {
  /** Only items up to this `seq`. @default all that are there when the server is asked */
  readonly upTo?: number;
}

/** One id, or several. */
export type Ids = string | readonly string[];
type Handlers<Shown extends Item> = { readonly [Name in keyof ClientEvents]: Set<(event: ClientEvents<Shown>[Name]) => void> };

/**
 * A client of one user's inbox. Changes are shown at once, and taken back if the server refuses them. They resolve once the server
 * has answered: with the number of items that were found, or with the error. They never reject.
 */
export class InboxClient<Shown extends Item = Item> {
  /** What the user wants to get, and when. */
  readonly preferences: Preferences;
  /** The user's own subscriptions, where the server has paths for them. */
  readonly topics: Topics;
  /** This browser as a device that gets pushes. */
  readonly push: Push;
  readonly #session: Session<Shown>;
  readonly #pageSize: number;
  readonly #views = new WeakMap<ViewState<Shown>, View<Shown>>();
  readonly #listeners = new Set<() => void>();
  readonly #handlers: Handlers<Shown> = { received: new Set(), recovered: new Set(), failed: new Set() };
  #snapshot: ClientSnapshot = { counts: null, connection: "idle", pending: 0, error: null };
  #told = this.#snapshot;

  /** Hosts do not call this. They call {@link createClient}. */
  constructor(options: ClientOptions<Shown>) {
    this.#session = new Session<Shown>(
      options,
      () => this.#changed(),
      (name, event) => this.#emit(name, event),
    );
    this.#pageSize = options.pageSize ?? PAGE_SIZE;
    const ask: Ask = (path, asking) => this.#session.ask(path, asking);
    this.preferences = new Preferences(ask, options.locale);
    this.topics = new Topics(ask);
    this.push = this.#session.push;
  }

  /** Loads what is shown, and follows the inbox. A second call does nothing. */
  start(): void {
    this.#session.start();
  }

  /** Ends the connection. What was loaded stays, and changes that wait go on with the next start. */
  stop(): void {
    this.#session.stop();
  }

  /** Calls `listener` whenever the snapshot changes. Returns the function that ends it. It does not start the client. */
  subscribe(listener: () => void): () => void {
    return added(this.#listeners, listener);
  }

  /** The counts, the connection, and how many changes wait. */
  getSnapshot(): ClientSnapshot {
    const { store, status, error } = this.#session;
    const next = { counts: store.counts, connection: status, pending: store.journal.size, error };
    this.#snapshot = isEqual(next, this.#snapshot) ? this.#snapshot : next;
    return this.#snapshot;
  }

  /** The items that match a filter. Equal filters share one view; the first one says how many items a page has. */
  view(filter: Filter<Shown> = {}, { pageSize = this.#pageSize }: { readonly pageSize?: number } = {}): View<Shown> {
    const { views } = this.#session.store;
    const key = filterKey(filter);
    const state = views.get(key) ?? new ViewState<Shown>(filter, pageSize);
    views.set(key, state);
    const view = this.#views.get(state) ?? this.#viewOf(state);
    this.#views.set(state, view);
    return view;
  }

  /** What the client knows, as JSON: for the option `initial` of another client, such as the browser's after a server has made the page. */
  snapshot(): InitialState<Shown> {
    return stateOf(this.#session.store);
  }

  /** One page of the inbox's groups, as the server has them. */
  groups(input: GroupsInput = {}): Promise<Result<GroupsPage<Shown>>> {
    return this.#session.ask("/inbox/groups", { query: { ...input } });
  }

  /** Calls `listener` for each such event. Returns the function that ends it. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents<Shown>[Name]) => void): () => void {
    return added(this.#handlers[name], listener);
  }

  markRead(ids: Ids): Promise<Result<number>> {
    return this.#change("read", ids);
  }

  markUnread(ids: Ids): Promise<Result<number>> {
    return this.#change("unread", ids);
  }

  markSeen(ids: Ids): Promise<Result<number>> {
    return this.#change("seen", ids);
  }

  /** A read item stays seen. */
  markUnseen(ids: Ids): Promise<Result<number>> {
    return this.#change("unseen", ids);
  }

  archive(ids: Ids): Promise<Result<number>> {
    return this.#change("archived", ids);
  }

  unarchive(ids: Ids): Promise<Result<number>> {
    return this.#change("unarchived", ids);
  }

  pin(ids: Ids): Promise<Result<number>> {
    return this.#change("pinned", ids);
  }

  unpin(ids: Ids): Promise<Result<number>> {
    return this.#change("unpinned", ids);
  }

  /** Puts items off until a time to come. */
  snooze(ids: Ids, until: Date): Promise<Result<number>> {
    return this.#session.change({ to: "items", change: "snoozed", ids: [ids].flat(), until: until.toISOString() });
  }

  /** Brings snoozed items back before their time. */
  wake(ids: Ids): Promise<Result<number>> {
    return this.#change("woken", ids);
  }

  /** Deletes items. */
  remove(ids: Ids): Promise<Result<number>> {
    return this.#change("deleted", ids);
  }

  /** Marks everything read, archived and snoozed items too, or what matches. */
  markAllRead(input: ManyInput<Shown> = {}): Promise<Result<number>> {
    return this.#changeAll("read", input);
  }

  /** Marks everything seen, archived and snoozed items too, or what matches. */
  markAllSeen(input: ManyInput<Shown> = {}): Promise<Result<number>> {
    return this.#changeAll("seen", input);
  }

  /** Archives all active items, or those that match. */
  archiveAll(input: ManyInput<Shown> = {}): Promise<Result<number>> {
    return this.#changeAll("archived", input);
  }

  /** Deletes all active items that are read. */
  removeRead(): Promise<Result<number>> {
    return this.#changeAll("deleted_read", {});
  }

  /** The changes of the active items of one group. */
  group(group: string): GroupChanges {
    const change = (what: GroupChange, range: GroupRange = {}, more: { readonly until?: string } = {}) =>
      this.#session.change({ to: "groups", change: what, group, ...range, ...more });
    return {
      markRead: (range) => change("read", range),
      archive: (range) => change("archived", range),
      snooze: (until, range) => change("snoozed", range, { until: until.toISOString() }),
      remove: (range) => change("deleted", range),
    };
  }

  #change(change: ItemChange, ids: Ids): Promise<Result<number>> {
    return this.#session.change({ to: "items", change, ids: [ids].flat() });
  }

  #changeAll(change: WholeChange, input: ManyInput<Shown>): Promise<Result<number>> {
    return this.#session.change({ to: "all", change, ...input });
  }

  #viewOf(state: ViewState<Shown>): View<Shown> {
    const { store } = this.#session;
    return {
      subscribe: (listener) => {
        const end = added(state.listeners, listener);
        if (this.#session.isStarted) {
          this.#session.loadStale();
        }
        return end;
      },
      getSnapshot: () => {
        store.refresh(state);
        return state.snapshot;
      },
      fetchMore: () => this.#session.loadView(state, (loader) => loader.fetchMore(state)),
      refresh: () => this.#session.loadView(state, (loader) => loader.load(state)),
    };
  }

  #changed(): void {
    if (this.getSnapshot() !== this.#told) {
      this.#told = this.#snapshot;
      for (const listener of this.#listeners) {
        listener();
      }
    }
  }

  #emit<Name extends keyof ClientEvents>(name: Name, event: ClientEvents<Shown>[Name]): void {
    for (const handler of this.#handlers[name]) {
      handler(event);
    }
  }
}

/**
 * Makes a client of one user's inbox. `Service` is the type of the server's service: items then have the data of its declared types.
 *
 * @example
 * ```ts
 * import type { notifications } from "./server";
 *
 * const inbox = createClient<typeof notifications>({ url: "/api/belfry/v1", user: "u1", getToken: () => fetchToken() });
 * const unread = inbox.view({ read: false });
 * unread.subscribe(() => render(unread.getSnapshot()));
 * inbox.start();
 * ```
 */
export function createClient<Service = unknown>(options: ClientOptions<ItemOf<Service>>): InboxClient<ItemOf<Service>> {
  return new InboxClient(options);
}
