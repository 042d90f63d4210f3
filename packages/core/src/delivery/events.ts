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

/** The events of deliveries, by name. */
export interface DeliveryEvents {
  /** A fallback is due, or somebody retried a failed delivery. */
  "delivery.pending": DeliveryChanged;
  "delivery.waiting": DeliveryChanged;
  "delivery.sent": DeliveryChanged;
  "delivery.delivered": DeliveryChanged;
  /** The delivery failed for good. A failed attempt that is followed by another one raises no event. */
  "delivery.failed": DeliveryChanged;
  "delivery.cancelled": DeliveryChanged;
  "send.changed": SendChanged;
}
