import type { Owner } from "../foundation/owner.ts";
import type { Notification } from "../notifications/index.ts";
import type { InboxItem } from "./inbox-item.ts";
import type { CreatedItem } from "./inbox-storage.ts";

/** What changed in an inbox. */
export type InboxChange = "created" | "read" | "deleted" | "read_all" | "deleted_read";

/**
 * Says that something changed in one inbox. It is a hint, not the truth: a transport may lose it, and what it leaves
 * out (`notification`, `item`) the receiver reads from the database.
 */
export interface InboxSignal extends Owner {
  readonly change: InboxChange;
  /** The item's number; for `read_all` and `deleted_read` the last number the change covers. */
  readonly seq: number;
  readonly epoch: string;
  /** The id of the item that was read or deleted. */
  readonly id?: string;
  /** How many items `read_all` or `deleted_read` changed. */
  readonly count?: number;
  /** `created`, in the creating process only: what was created. */
  readonly notification?: Notification;
  /** `read` and `deleted`, in the changing process only: the item after the change. */
  readonly item?: InboxItem;
}

/** The signal that tells of one recipient's new item. */
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
