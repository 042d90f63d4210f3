import type { BaseContext, Emits, Owner } from "../foundation/context.ts";
import type { RepeatedLines } from "../foundation/repeated-lines.ts";
import type { DataByType, NotificationTypes, Typed } from "../notifications/index.ts";
import type { ContentCache } from "./content-cache.ts";
import type { InboxSignal } from "./inbox-event.ts";
import type { CountsOfPlace, InboxItem, ItemChange, ItemsChange } from "./inbox-item.ts";
import type { InboxStorage } from "./inbox-storage.ts";
import type { CreatedItem } from "./new-items-storage.ts";
import type { ReplicaStorage } from "./replica-storage.ts";

/** One item was changed. */
export interface ItemChanged<Item extends InboxItem = InboxItem> extends Owner {
  readonly id: string;
  readonly type: Item["type"];
  readonly item: Item;
}

/** A change to a whole inbox. */
export interface InboxSwept extends Owner {
  /** The number of items it changed; never 0. */
  readonly count: number;
}

/** A read of an inbox that may lag was answered, and by whom. */
export interface LaggingReadAnswered extends Owner {
  /** The database answers where no replica is up to it, and where something has to be written first. */
  readonly by: "replica" | "database";
  /** How far the answer may be behind, in milliseconds; 0 for one of the database. */
  readonly lagMs: number;
}

/** The event of one changed item, its data as its declared type has it. */
export type ItemChangedOf<Made extends DataByType> =
  Typed<InboxItem, Made> extends infer Item ? (Item extends InboxItem ? ItemChanged<Item> : never) : never;

/** The events of inboxes, by name. */
export interface InboxEvents<Made extends DataByType = DataByType> extends Readonly<Record<`item.${ItemChange}`, ItemChangedOf<Made>>> {
  "inbox.all_read": InboxSwept;
  "inbox.all_seen": InboxSwept;
  "inbox.read_deleted": InboxSwept;
  "inbox.matching_read": InboxSwept;
  "inbox.matching_seen": InboxSwept;
  "inbox.matching_archived": InboxSwept;
  "inbox.lagging_read": LaggingReadAnswered;
}

/** The state of the fallback after an acknowledgement: there is none, it was stopped, it is on its way, or it was sent. */
export type AcknowledgedFallback = "none" | "cancelled" | "in_flight" | "sent";

/** An item that was acknowledged, and the state of its fallback. */
export interface Acknowledged<Item = InboxItem> {
  readonly item: Item;
  readonly fallback: AcknowledgedFallback;
}

/** The part of Belfry that must know when a user has read or received an item: deliveries over the inbox, and their fallbacks. */
export interface ReadHook {
  /**
   * Called when the user has read these notifications or, with null, everything up to now. It never rejects: the items stay
   * read.
   */
  onRead(owner: Owner, ids: readonly string[] | null): Promise<void>;
  /** Called when the user confirms that this notification arrived. */
  onAcknowledged(owner: Owner, id: string): Promise<AcknowledgedFallback>;
}

/** The parts that operations on inboxes use. */
export interface InboxContext extends BaseContext {
  readonly inbox: InboxStorage;
  /** What answers reads that may be behind; null for nothing but the database itself. */
  readonly replica: ReplicaStorage | null;
  readonly events: Emits<InboxEvents>;
  readonly reads: ReadHook;
  readonly types: NotificationTypes;
  /** What lists have made of inboxes. */
  readonly contents: ContentCache;
  /** Logs what may go wrong with every read. */
  readonly lines: Pick<RepeatedLines, "warn">;
  /** Begins an inbox, and places broadcasts that it lacks: the first of many, and the others soon. False if another transaction holds it. */
  placeMissed(owner: Owner): Promise<boolean>;
  /** Makes the background work look when the next snoozed item is due. Call it after each commit that changes that. */
  dueItems(): void;
  /** Tells clients and other processes what changed. Call it only after the commit. */
  publish(signals: readonly InboxSignal[]): void;
}

/** An item that was changed, and the change of its inbox. */
export interface AnnouncedItem {
  readonly item: InboxItem;
  /** The counts after the change. */
  readonly counts: CountsOfPlace;
  /** How many items the change has. @default 1 */
  readonly of?: number;
  /** Whether it is the last of them. @default true */
  readonly isLast?: boolean;
}

/** The items that a call changed. */
export function announcedOf({ items, changed, counts }: ItemsChange): readonly AnnouncedItem[] {
  const of = changed.size;
  return items.filter(({ seq }) => changed.has(seq)).map((item, index) => ({ item, counts, of, isLast: index === of - 1 }));
}

/** Whether a change is of an item that was archived or snoozed before it, and stays so or is deleted: no active item changed. */
export function isOutside(change: ItemChange, { archivedAt, snoozedUntil }: InboxItem): boolean {
  return (archivedAt !== null || snoozedUntil !== null) && change !== "archived" && change !== "snoozed";
}

/** Tells clients, other processes and listeners about items that were changed. Call it only after the commit. */
export function announceItems(
  context: Pick<InboxContext, "publish" | "events">,
  change: ItemChange,
  announced: readonly AnnouncedItem[],
): void {
  context.publish(
    announced.map(({ item, counts: { epoch, rev, lastSeq, total, unread, unseen }, of = 1, isLast = true }): InboxSignal => {
      const { tenant, userId, seq, id } = item;
      const place = { tenant, userId, change, seq, epoch, id, rev, lastSeq, of };
      const counts = isLast ? { counts: { total, unread, unseen } } : {};
      return { ...place, item, ...(isOutside(change, item) ? { count: 0 } : {}), ...counts };
    }),
  );
  emitItems(context, change, announced);
}

/** Tells listeners of the service about items that were changed. */
export function emitItems({ events }: Pick<InboxContext, "events">, change: ItemChange, announced: readonly AnnouncedItem[]): void {
  for (const { item } of announced) {
    const { tenant, userId, id, type } = item;
    events.emit(`item.${change}`, { tenant, userId, id, type, item });
  }
}

/** Tells everybody about the items that changed because others were created. Call it only after the commit. */
export function announceAlso(context: Pick<InboxContext, "publish" | "events" | "dueItems">, created: readonly CreatedItem[]): void {
  for (const { also } of created) {
    if (also === undefined) {
      continue;
    }
    for (const done of also) {
      announceItems(context, done.change, announcedOf(done));
      if (done.change === "woken") {
        // The rest of a large group is due now.
        context.dueItems();
      }
    }
  }
}
