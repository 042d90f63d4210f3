import type { Owner } from "../foundation/owner.ts";
import type { Notification } from "../notifications/index.ts";
import type { InboxItem } from "./inbox-item.ts";
import type { CreatedItem } from "./inbox-storage.ts";

/** The kinds of change in an inbox. */
export type InboxChange = "created" | "read" | "deleted" | "read_all" | "deleted_read";

/**
 * Says that something changed in one inbox. It is a hint, not the truth: a transport may lose it. The receiver reads missing
 * fields (`notification`, `item`) from the database.
 */
export interface InboxSignal extends Owner {
  readonly change: InboxChange;
  /** The item's number; for `read_all` and `deleted_read` the last number the change covers. */
  readonly seq: number;
  readonly epoch: string;
  /** The id of the item that was read or deleted. */
  readonly id?: string;
  /** The number of items that `read_all` or `deleted_read` changed. */
  readonly count?: number;
  /** The created notification. Set for `created`, and only in the process that created it. */
  readonly notification?: Notification;
  /** The item after the change. Set for `read` and `deleted`, and only in the process that changed it. */
  readonly item?: InboxItem;
}

/** Builds the signal for one recipient's new item. */
export function createdSignal(notification: Notification, item: CreatedItem): InboxSignal {
  return {
    tenant: notification.tenant,
    userId: item.userId,
    change: "created",
    seq: item.seq,
    epoch: item.epoch,
    id: notification.id,
    notification,
  };
}
