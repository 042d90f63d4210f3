import type { FeedSubscription, Owner } from "../foundation/context.ts";
import { acknowledgeItem, markAllRead, markManyRead, markRead, removeItem, removeMany, removeRead } from "./change-items.ts";
import type { Acknowledged, InboxContext } from "./context.ts";
import type { FollowInboxes, InboxListener } from "./inbox-event.ts";
import type { InboxCounts, InboxItem, InboxPosition, ItemRef } from "./inbox-item.ts";
import { countInbox, getItem, type InboxList, type ListInput, listInbox } from "./list-inbox.ts";

/**
 * One user's inbox. Every call is limited to that user of that tenant.
 *
 * @example
 * ```ts
 * const inbox = notifications.inbox("user_123");
 * const { items, nextCursor } = await inbox.list({ status: "unread", limit: 20 });
 * ```
 */
export class Inbox {
  readonly owner: Owner;
  readonly #context: InboxContext;
  readonly #feeds: FollowInboxes;

  /** Hosts do not call this. They call `notifications.inbox(userId)`. */
  constructor(owner: Owner, context: InboxContext, feeds: FollowInboxes) {
    this.owner = owner;
    this.#context = context;
    this.#feeds = feeds;
  }

  /**
   * Returns one page, newest first, by cursor or offset.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a limit, offset or status out of range, `INVALID_CURSOR` for a cursor of
   *   another list or an edited one
   */
  list(input?: ListInput): Promise<InboxList> {
    return listInbox(this.#context, this.owner, input);
  }

  /**
   * Returns one item, by its notification's id or by `{ seq }`.
   *
   * @throws BelfryError `NOT_FOUND` if the item is unknown, deleted or another tenant's, `FORBIDDEN` if the notification
   *   exists in the tenant but was never in this inbox
   */
  get(ref: ItemRef): Promise<InboxItem> {
    return getItem(this.#context, this.owner, ref);
  }

  /** Marks one item read and returns it. Marking it again keeps the first time. Throws as {@link get} does. */
  markRead(ref: ItemRef): Promise<InboxItem> {
    return markRead(this.#context, this.owner, ref);
  }

  /**
   * Confirms that the user has a notification, without reading it. A delivery over the inbox becomes `delivered`, and a
   * fallback that is not on its way yet is stopped. Returns the item and the state of the fallback. Throws as {@link get}
   * does.
   */
  acknowledge(id: string): Promise<Acknowledged> {
    return acknowledgeItem(this.#context, this.owner, id);
  }

  /** Marks several items read in one transaction and returns how many were found. Unknown items are skipped. */
  markManyRead(refs: readonly ItemRef[]): Promise<number> {
    return markManyRead(this.#context, this.owner, refs);
  }

  /** Marks everything read that is in the inbox now and returns the number of items it changed. Later items stay unread. */
  markAllRead(): Promise<number> {
    return markAllRead(this.#context, this.owner);
  }

  /** Deletes one item and returns it as it was. Throws as {@link get} does. */
  remove(ref: ItemRef): Promise<InboxItem> {
    return removeItem(this.#context, this.owner, ref);
  }

  /** Deletes several items in one transaction and returns how many were found. Unknown items are skipped. */
  removeMany(refs: readonly ItemRef[]): Promise<number> {
    return removeMany(this.#context, this.owner, refs);
  }

  /** Deletes every read item and returns their number. */
  removeRead(): Promise<number> {
    return removeRead(this.#context, this.owner);
  }

  /** Returns the total and the unread count. It reads one row, whatever the size of the inbox. */
  counts(): Promise<InboxCounts> {
    return countInbox(this.#context, this.owner);
  }

  /**
   * Follows the inbox live. With `since`, it first replays the items after that position.
   *
   * @example
   * ```ts
   * const subscription = inbox.subscribe({ onEvent: (event) => send(event), onState: () => {} });
   * await subscription.ready;
   * subscription.close();
   * ```
   */
  subscribe(listener: InboxListener, since?: InboxPosition): FeedSubscription {
    return this.#feeds.subscribe(this.owner, listener, since);
  }
}
