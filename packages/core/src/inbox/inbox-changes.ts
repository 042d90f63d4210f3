import type { Owner } from "../foundation/context.ts";
import { requireNone } from "../foundation/issue-list.ts";
import { type Changing, changeItems } from "./change-items.ts";
import { changeMatching, type MatchingInput, removeRead } from "./change-matching.ts";
import { changeWhole } from "./change-whole.ts";
import type { Acknowledged, InboxContext } from "./context.ts";
import { ANYWHERE, absenceError, findItem } from "./find-item.ts";
import { futureTime, isMark } from "./groups.ts";
import type { InboxItem, ItemMark, ItemRef } from "./inbox-item.ts";

/** The items of one user's inbox, found one by one, and all that may be done to them; the rest of an inbox is `Inbox`. */
export abstract class InboxChanges<Item extends InboxItem = InboxItem> {
  readonly owner: Owner;
  /** Whether it finds active items alone. */
  protected isActiveOnly = false;
  readonly #context: InboxContext;

  constructor(owner: Owner, context: InboxContext) {
    this.owner = owner;
    this.#context = context;
  }

  /**
   * Returns one item, by its notification's id or by `{ seq }`, wherever it is: active, archived or snoozed.
   *
   * @throws BelfryError `NOT_FOUND` if the item is unknown, deleted or another tenant's, `FORBIDDEN` if the notification
   *   exists in the tenant but was never in this inbox
   */
  async get(ref: ItemRef): Promise<Item> {
    const places = this.isActiveOnly ? (["active"] as const) : ANYWHERE;
    return (await findItem(this.#context, this.owner, { ref, places })) as Item;
  }

  /** Marks one item read and returns it. Marking it again keeps the first time. Throws as {@link get} does. */
  markRead(ref: ItemRef): Promise<Item> {
    return this.#changeOne("read", ref);
  }

  /**
   * Confirms that the user has a notification, without reading it. A delivery over the inbox becomes `delivered`, and a
   * fallback that is not on its way yet is stopped. Returns the item and the state of the fallback. Throws as {@link get}
   * does.
   */
  async acknowledge(id: string): Promise<Acknowledged<Item>> {
    const item = await this.get(id);
    return { item, fallback: await this.#context.reads.onAcknowledged(this.owner, item.id) };
  }

  /**
   * Marks one item unread again and returns it. The next {@link markAllRead} marks it read again. What reading it has stopped, such
   * as a fallback, stays stopped. Throws as {@link get} does.
   */
  markUnread(ref: ItemRef): Promise<Item> {
    return this.#changeOne("unread", ref);
  }

  /** Marks one item seen and returns it. A read item is seen anyway. Throws as {@link get} does. */
  markSeen(ref: ItemRef): Promise<Item> {
    return this.#changeOne("seen", ref);
  }

  /** Marks one item unseen again and returns it, unless it is read: a read item stays seen. Throws as {@link get} does. */
  markUnseen(ref: ItemRef): Promise<Item> {
    return this.#changeOne("unseen", ref);
  }

  /** Pins one item and returns it. Pinning it again keeps the first time. Throws as {@link get} does. */
  pin(ref: ItemRef): Promise<Item> {
    return this.#changeOne("pinned", ref);
  }

  /** Unpins one item and returns it. Throws as {@link get} does. */
  unpin(ref: ItemRef): Promise<Item> {
    return this.#changeOne("unpinned", ref);
  }

  /**
   * Archives one item and returns it. It leaves the lists and counts, except for `list({ archived: true })`. Archiving it again
   * keeps the first time. Throws as {@link get} does.
   */
  archive(ref: ItemRef): Promise<Item> {
    return this.#changeOne("archived", ref);
  }

  /** Brings one archived item back and returns it: it is in lists and counts again, at its old place. Throws as {@link get} does. */
  unarchive(ref: ItemRef): Promise<Item> {
    return this.#changeOne("unarchived", ref);
  }

  /**
   * Puts one item off until a time, and returns it. It leaves the lists and counts, except for `list({ snoozed: true })`. At that
   * time it comes back by itself, unread. Throws as {@link get} does.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a time that is none, or is not to come
   */
  async snooze(ref: ItemRef, until: Date | string): Promise<Item> {
    return await this.#changeOne({ until: futureTime(this.#context, until) }, ref);
  }

  /** Puts several items off until a time, in one transaction, and returns how many were found. Unknown items are skipped. Throws as {@link snooze} does. */
  async snoozeMany(refs: readonly ItemRef[], until: Date | string): Promise<number> {
    return (await this.#change({ until: futureTime(this.#context, until) }, refs)).length;
  }

  /** Brings one snoozed item back before its time, unread, and returns it. Throws as {@link get} does. */
  wake(ref: ItemRef): Promise<Item> {
    return this.#changeOne("woken", ref);
  }

  /**
   * Gives several items a mark, in one transaction, and returns how many were found. Unknown items are skipped. `archived`
   * and `unarchived` find active and archived items, `woken` finds snoozed ones, every other mark finds items wherever they are.
   *
   * @throws BelfryError `VALIDATION_ERROR` for refs that are no list, or another mark
   */
  async markMany(refs: readonly ItemRef[], mark: ItemMark | "read" | "unread"): Promise<number> {
    requireNone([isMark(mark, "mark")]);
    return (await this.#change(mark, refs)).length;
  }

  /** Marks several items read in one transaction and returns how many were found. Unknown items are skipped. */
  async markManyRead(refs: readonly ItemRef[]): Promise<number> {
    return (await this.#change("read", refs)).length;
  }

  /**
   * Marks everything read that is in the inbox now, archived and snoozed items too. Returns the number of active items it changed. Later
   * items stay unread. With a filter or `upTo`, it does so for the items that match, in steps of up to 1,000 items; a filter that names
   * `archived` or `snoozed` says where they are.
   *
   * @throws BelfryError `VALIDATION_ERROR` for an unknown member of the input or of its filter, or a wrong value
   */
  async markAllRead(input?: MatchingInput): Promise<number> {
    if (input !== undefined) {
      return await changeMatching(this.#context, this.owner, { verb: "markAllRead", mark: "read", input });
    }
    return await changeWhole(this.#context, this.owner, { change: "read_all" });
  }

  /** Marks everything seen as {@link markAllRead} marks it read, and returns the number of active items it changed. */
  async markAllSeen(input?: MatchingInput): Promise<number> {
    if (input !== undefined) {
      return await changeMatching(this.#context, this.owner, { verb: "markAllSeen", mark: "seen", input });
    }
    return await changeWhole(this.#context, this.owner, { change: "seen_all" });
  }

  /**
   * Archives all active items, or those that match, in steps of up to 1,000 items. Returns their number. What comes in meanwhile
   * stays.
   *
   * @throws BelfryError `VALIDATION_ERROR` as {@link markAllRead}, and for a filter that names `archived` or `snoozed`
   */
  async archiveAll(input: MatchingInput = {}): Promise<number> {
    return await changeMatching(this.#context, this.owner, { verb: "archiveAll", mark: "archived", input });
  }

  /** Deletes one item and returns it as it was. Throws as {@link get} does. */
  remove(ref: ItemRef): Promise<Item> {
    return this.#changeOne("deleted", ref);
  }

  /** Deletes several items in one transaction and returns how many were found. Unknown items are skipped. */
  async removeMany(refs: readonly ItemRef[]): Promise<number> {
    return (await this.#change("deleted", refs)).length;
  }

  /**
   * Deletes every active item that is read, and returns their number. It takes steps of up to 1,000 items, as {@link archiveAll} does.
   * What comes in meanwhile stays.
   */
  async removeRead(): Promise<number> {
    return await removeRead(this.#context, this.owner);
  }

  async #changeOne(change: Changing["change"], ref: ItemRef): Promise<Item> {
    const [item] = await this.#change(change, [ref]);
    if (item === undefined) {
      throw await absenceError(this.#context, this.owner, ref);
    }
    return item;
  }

  #change(change: Changing["change"], refs: readonly ItemRef[]): Promise<readonly Item[]> {
    const activeOnly = this.isActiveOnly;
    return changeItems(this.#context, { owner: this.owner, refs, change, activeOnly }) as Promise<readonly Item[]>;
  }
}
