import { type FeedSubscription, type Owner, onceReady } from "../foundation/context.ts";
import { requireInput } from "../foundation/issue-list.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import { countsUpToDate, readUpToDate, unreadUpToDate } from "./apply-due.ts";
import type { InboxVersion } from "./content-cache.ts";
import type { InboxContext } from "./context.ts";
import { type CountsInput, type FilteredCounts, filteredCounts, topItems } from "./filtered-counts.ts";
import { type GroupList, type GroupsInput, InboxGroup, listGroups } from "./groups.ts";
import { followInLocale, LOCALE_INPUT, type LocaleInput } from "./in-locale.ts";
import { InboxChanges } from "./inbox-changes.ts";
import { type FollowInboxes, type InboxListener, requireListener } from "./inbox-event.ts";
import type { InboxCounts, InboxItem, InboxPosition, StoredItem } from "./inbox-item.ts";
import type { InboxPage, InboxQuery, InboxStorage } from "./inbox-storage.ts";
import { KeyedInbox } from "./keyed-inbox.ts";
import { LaggingInbox, type LagInput } from "./lagging-inbox.ts";
import { itemsForm, type ListForm, listAs, requireForm } from "./list-forms.ts";
import {
  type InboxList,
  LIST_INPUT,
  type ListInput,
  type Listing,
  listInbox,
  STORED_LIST_INPUT,
  type StoredListInput,
} from "./list-inbox.ts";

/**
 * One user's inbox. Every call is limited to that user of that tenant. `Item` is what a service with declared types has in it.
 *
 * @example
 * ```ts
 * const inbox = notifications.inbox("user_123");
 * const { items, nextCursor } = await inbox.list({ status: "unread", limit: 20 });
 * ```
 */
export class Inbox<Item extends InboxItem = InboxItem> extends InboxChanges<Item> {
  readonly #context: InboxContext;
  readonly #feeds: FollowInboxes;

  /** Hosts do not call this. They call `notifications.inbox(userId)`. */
  constructor(owner: Owner, context: InboxContext, feeds: FollowInboxes) {
    super(owner, context);
    this.#context = context;
    this.#feeds = feeds;
  }

  /**
   * The same inbox for those who know of active items alone, such as a contract: {@link get} and the changes of items do not find
   * archived and snoozed ones, unless they bring them back.
   */
  activeOnly(): Inbox<Item> {
    const inbox = new Inbox<Item>(this.owner, this.#context, this.#feeds);
    inbox.isActiveOnly = true;
    return inbox;
  }

  /**
   * The same inbox for one change that is to be made once, however often it is asked for, such as by a client that got no answer. If the
   * key's change is among the inbox's last changes (at least 950, and those that the retention of changes keeps), the call changes nothing,
   * and returns what the first one did. The key is written in the change's own transaction. A call that finds nothing to change writes no key.
   *
   * @param idempotencyKey 1 to 255 characters of printable ASCII; each change of an inbox has its own
   * @throws BelfryError `INVALID_IDEMPOTENCY_KEY` for another key; its calls throw `IDEMPOTENCY_KEY_REUSED` for the key of another change
   * @example
   * ```ts
   * await notifications.inbox("user_123").withKey(request.headers["idempotency-key"]).markAllRead();
   * ```
   */
  withKey(idempotencyKey: string): KeyedInbox {
    return new KeyedInbox(this.owner, idempotencyKey, this.#context);
  }

  /**
   * The same inbox for reads that may be behind, which a replica of the database can answer: see the option `replica` of a storage. It
   * has no changes, and a list of it may lack what the user did a moment ago, unless `since` names a position after that.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a position that is none
   * @example
   * ```ts
   * const { unread, lagMs } = await notifications.inbox("user_123").mayLag().counts();
   * ```
   */
  mayLag(input?: LagInput): LaggingInbox<Item> {
    return new LaggingInbox<Item>(this.owner, this.#context, input);
  }

  /**
   * Returns one page, newest first, by cursor or offset. With a `locale`, what functions of declared types make of the texts is
   * rendered in that language; where one fails, the stored texts stand in, and it is logged.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a limit, offset or status out of range, `INVALID_CURSOR` for a cursor of
   *   another list or an edited one
   */
  async list(input?: ListInput): Promise<InboxList<Item>> {
    const { inbox } = this.#context;
    const read = (owner: Owner, query: InboxQuery) => inbox.list(owner, query) as MaybePromise<InboxPage<Item>>;
    const form = itemsForm<Item>(this.#context, input?.locale);
    return (await listAs(this.#context, { owner: this.owner, input, checks: LIST_INPUT, read }, form)).list;
  }

  /**
   * Returns the same page as {@link list}, for those who write the items out at once: their data is still JSON text, their
   * texts are as they are stored. It throws as {@link list} does, and is no promise if the database answers at once.
   */
  listStored(input?: StoredListInput): MaybePromise<InboxList<StoredItem>> {
    return listInbox(this.#context, this.#stored(input));
  }

  /**
   * Returns what `form` makes of the page of {@link listStored}: the same thing again, without making it, as long as nothing of the page
   * has changed. It throws as {@link list} does, and is no promise if the database answers at once.
   */
  listAs<Made>(form: ListForm<StoredItem, Made>, input?: StoredListInput): MaybePromise<Made> {
    requireForm(form);
    return listAs(this.#context, this.#stored(input), form);
  }

  /**
   * Returns the items to show above the first page of {@link list}, which has them at their places, too: pinned ones, then unread
   * ones that came back after they were put off; up to 20 of each, newest first. `locale` is that of {@link list}.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a locale that is none
   */
  async top(input?: LocaleInput): Promise<readonly Item[]> {
    return (await topItems(this.#context, this.owner, input)) as readonly Item[];
  }

  /**
   * Returns one page of the inbox's groups, the one with the newest item first. A group is there while it has active items.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a limit or status out of range, `INVALID_CURSOR` for a cursor of another list
   */
  async groups(input?: GroupsInput): Promise<GroupList<Item>> {
    return (await listGroups(this.#context, this.owner, input)) as GroupList<Item>;
  }

  /** The items of one group, to be marked, snoozed or deleted together. @throws BelfryError `VALIDATION_ERROR` for a name that no group has */
  group(name: string): InboxGroup {
    return new InboxGroup({ owner: this.owner, name }, this.#context);
  }

  /** Returns how many active items there are, and how many of them are unread and unseen. It reads one row, whatever the size of the inbox. */
  counts(): Promise<InboxCounts>;
  /**
   * Returns the same, and in `filtered` how many items match each of up to 30 filters, in their order. They are counted one by
   * one, in one statement, up to 20,000 items of a place.
   *
   * @throws BelfryError `VALIDATION_ERROR` for filters that are no list, more than 30, or a filter with a wrong member
   */
  counts(input: CountsInput): Promise<FilteredCounts>;
  async counts(input?: CountsInput): Promise<InboxCounts> {
    return input === undefined ? this.readCounts() : await filteredCounts(this.#context, this.owner, input);
  }

  /** Returns the same as {@link counts}, for those who answer many requests: at once, if the database does. It may throw. */
  readCounts(): MaybePromise<InboxCounts> {
    return onceReady(this.#context, () => countsUpToDate(this.#context, this.owner));
  }

  /**
   * Returns the counts as {@link readCounts} does, and the tenant's content token. While both are the same, no list of the inbox changes: for
   * those who answer that nothing has changed.
   */
  readVersion(): MaybePromise<InboxVersion> {
    const read = () => this.#context.inbox.version(this.owner);
    return onceReady(this.#context, () =>
      readUpToDate(this.#context, this.owner, { read, countsOf: ({ counts }: InboxVersion) => counts }),
    );
  }

  /** Returns the number of unread items alone, in the way of {@link readCounts}: clients poll it. */
  readUnread(): MaybePromise<number> {
    return onceReady(this.#context, () => unreadUpToDate(this.#context, this.owner));
  }

  /**
   * Follows the inbox live. With `since`, it first replays the items after that position; if that has a `rev`, also the changes after
   * that one, and then gives the counts. The counts of a list are such a position: who begins there, and stores the position of
   * each event, misses nothing. With a `locale`, items have the texts that {@link list} has with it.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a listener, a position or a locale that is none
   * @example
   * ```ts
   * const subscription = inbox.subscribe({ onEvent: (event) => send(event), onState: () => {} });
   * await subscription.ready;
   * subscription.close();
   * ```
   */
  subscribe(listener: InboxListener<Item>, since?: InboxPosition, input: LocaleInput = {}): FeedSubscription {
    requireListener(listener, since);
    requireInput("subscribe", input, LOCALE_INPUT);
    const { locale } = input;
    const follow = (one: InboxListener) => this.#feeds.subscribe(this.owner, one, since);
    const given = listener as InboxListener;
    return locale === undefined ? follow(given) : followInLocale(this.#context, { listener: given, locale }, follow);
  }

  #stored(input: StoredListInput | undefined): Listing<StoredItem> {
    const { inbox } = this.#context;
    const read: InboxStorage["listStored"] = (owner, query) => inbox.listStored(owner, query);
    return { owner: this.owner, input, checks: STORED_LIST_INPUT, read };
  }
}
