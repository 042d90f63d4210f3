import type { Owner } from "../foundation/owner.ts";
import type { InboxItem } from "./inbox-item.ts";

/** One item was read for the first time, or deleted. */
export interface ItemChanged extends Owner {
  readonly id: string;
  readonly type: string;
  readonly item: InboxItem;
}

/** A change to a whole inbox. */
export interface InboxSwept extends Owner {
  /** The number of items it changed; never 0. */
  readonly count: number;
}

/** The events of inboxes, by name. */
export interface InboxEvents {
  "item.read": ItemChanged;
  "item.deleted": ItemChanged;
  "inbox.all_read": InboxSwept;
  "inbox.read_deleted": InboxSwept;
}
