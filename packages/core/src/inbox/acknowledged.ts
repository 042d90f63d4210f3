import type { InboxItem } from "./inbox-item.ts";

/** What an acknowledgement did to what would stand in: nothing does, it was stopped, it is on its way, or it is out. */
export type AcknowledgedFallback = "none" | "cancelled" | "in_flight" | "sent";

/** An item that was acknowledged, and what became of what would have stood in. */
export interface Acknowledged {
  readonly item: InboxItem;
  readonly fallback: AcknowledgedFallback;
}
