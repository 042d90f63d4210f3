import type { JsonObject } from "../foundation/json.ts";
import type { DataByType, Typed } from "./notification-types.ts";

/**
 * The way a notification was created. It decides where the notification is listed.
 *
 * - `message`: for inboxes alone. It has no delivery rows: the inbox item is the delivery.
 * - `send`: has deliveries, one per recipient and channel, and a status.
 * - `event`: pushed in by a source through the `hub` contract; it has no recipient.
 */
export type NotificationKind = "message" | "send" | "event";

/** Longer than any name of a tenant may be, so that nobody is the tenant whose name begins with it. */
const BEING_DELETED = "being deleted, of ".padEnd(256, ".");

/**
 * The tenant that a notification gets while it is deleted in several steps. From then on nothing finds it: no list, no search and no
 * call that names it, but for another call to delete it, which goes on.
 */
export function tenantOfDeleted(tenant: string): string {
  return `${BEING_DELETED}${tenant}`;
}

/** The tenant that a notification had before, by the one that it got; null if it is not being deleted. */
export function tenantBeforeDeletion(tenant: string): string | null {
  return tenant.startsWith(BEING_DELETED) ? tenant.slice(BEING_DELETED.length) : null;
}

/** Whether a notification is being deleted: nothing of it is delivered, and nobody is told of it. */
export function isBeingDeleted({ tenant }: Pick<Notification, "tenant">): boolean {
  return tenantBeforeDeletion(tenant) !== null;
}

/** A link that a notification offers, such as a button. */
export interface NotificationAction {
  /** One line, 1 to 100 characters. */
  readonly label: string;
  /** A path of the host's own application, or a link that begins with `https://`, `http://` or `mailto:`. */
  readonly url: string;
}

/** Something that happened. It is stored once, whatever the number of users who get it. */
export interface Notification {
  /** A UUIDv7. It is made before anything is written, so that a repeated write cannot create the notification twice. */
  readonly id: string;
  readonly tenant: string;
  readonly kind: NotificationKind;
  /** Machine-readable type, for example `order_update`. */
  readonly type: string;
  /** May be empty, never null. */
  readonly title: string;
  readonly message: string;
  readonly data: JsonObject;
  /** The service that it came from, or null if the caller named none. */
  readonly source: string | null;
  /** Who caused it, a person or a program, or null if the caller named nobody. */
  readonly actor: string | null;
  /** Where it leads, as a link that is safe to show; null if the caller named none. */
  readonly url: string | null;
  /** What its reader can do about it, the primary first; null for nothing. */
  readonly actions: readonly NotificationAction[] | null;
  readonly createdAt: Date;
  /** From then on it is of no use, and no attempt of it begins; null for never. */
  readonly expiresAt: Date | null;
  /**
   * How much it matters to whoever gets it. It changes no order and no channel; but only what is `urgent` is delivered during
   * somebody's quiet hours.
   */
  readonly priority: "low" | "normal" | "high" | "urgent";
  /**
   * Which of its texts functions of its type made, as bits: 1 for the title, 2 for the message, 4 for the link; null for none.
   * Belfry renders these again in other languages.
   */
  readonly rendered: number | null;
  /** The category that its declared type had when it was created; null for none. */
  readonly category: string | null;
  /** What it belongs to in each inbox, such as the thread that it is a reply in; null for nothing. */
  readonly group: string | null;
  /** What it is the news of: in each inbox it takes the place of the unread item that has the same key. Null if it takes none. */
  readonly replaceKey: string | null;
}

/** The type of a notification that was created without one. */
export const DEFAULT_TYPE = "notification";

/** The defaults of a notification's fields. */
export const NOTIFICATION_DEFAULTS = {
  title: "",
  message: "",
  data: {},
  source: null,
  actor: null,
  url: null,
  actions: null,
  expiresAt: null,
  priority: "normal",
  rendered: null,
  category: null,
  group: null,
  replaceKey: null,
} as const satisfies Partial<Notification>;

/** A notification was created and committed. */
export interface NotificationCreated<Of extends Notification = Notification> {
  readonly tenant: string;
  readonly id: string;
  readonly type: Of["type"];
  readonly notification: Of;
  /** The number of users who get it. */
  readonly recipients: number | null;
}

/** The events of creating a notification, by name. */
export interface CreationEvents<Made extends DataByType = DataByType> {
  "notification.created": Typed<Notification, Made> extends infer Of ? (Of extends Notification ? NotificationCreated<Of> : never) : never;
}
