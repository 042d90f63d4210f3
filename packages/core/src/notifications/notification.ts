import type { JsonObject } from "../foundation/json.ts";

/**
 * How a notification came to be, which decides where it is listed.
 *
 * - `message`: made by `create` or the `pack` contract. It has no delivery rows: the inbox item is the delivery.
 * - `send`: made by `send` or the `delivery-v1` contract, with one delivery per recipient and channel.
 * - `event`: pushed in by a source through the `hub` contract; it has no recipient.
 */
export type NotificationKind = "message" | "send" | "event";

/** What happened. Stored once, however many users get it. */
export interface Notification {
  /** UUIDv7, made before anything is written, so that a repeated write cannot create it twice. */
  readonly id: string;
  readonly tenant: string;
  readonly kind: NotificationKind;
  /** Machine-readable type, for example `order_update`. */
  readonly type: string;
  /** May be empty, never null. */
  readonly title: string;
  readonly message: string;
  readonly data: JsonObject;
  /** The service it came from, if the caller named one. */
  readonly source: string | null;
  /** Who caused it, if the caller named one. */
  readonly sender: string | null;
  readonly createdAt: Date;
}

/** The type of a notification whose creator named none. */
export const DEFAULT_TYPE = "notification";
