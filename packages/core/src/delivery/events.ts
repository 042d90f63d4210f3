import type { Delivery, DeliveryStatus, SendStatus } from "./delivery.ts";

/** One delivery went from one state to another. */
export interface DeliveryChanged {
  /** As it is now. */
  readonly delivery: Delivery;
  readonly from: DeliveryStatus;
}

/** A sent notification, as a whole, went from one status to another. */
export interface SendChanged {
  readonly tenant: string;
  /** The notification's id. */
  readonly id: string;
  readonly from: SendStatus;
  readonly to: SendStatus;
}

/** What deliveries tell, by name. */
export interface DeliveryEvents {
  /** A fallback's turn has come, or a failed delivery is tried again because somebody asked. */
  "delivery.pending": DeliveryChanged;
  "delivery.waiting": DeliveryChanged;
  "delivery.sent": DeliveryChanged;
  "delivery.delivered": DeliveryChanged;
  /** For good; a failed attempt that is followed by another one is no change of state. */
  "delivery.failed": DeliveryChanged;
  "delivery.cancelled": DeliveryChanged;
  "send.changed": SendChanged;
}
