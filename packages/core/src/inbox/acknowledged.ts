import type { InboxItem } from "./inbox-item.ts";

/** The state of the fallback after an acknowledgement: there is none, it was stopped, it is on its way, or it was sent. */
export type AcknowledgedFallback = "none" | "cancelled" | "in_flight" | "sent";

/** An item that was acknowledged, and the state of its fallback. */
export interface Acknowledged {
  readonly item: InboxItem;
  readonly fallback: AcknowledgedFallback;
}
