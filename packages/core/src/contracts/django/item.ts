import { z } from "zod";
import type { JsonValue } from "../../foundation/json.ts";
import { timestamp } from "../../http/parameters.ts";
import type { InboxItem } from "../../inbox/index.ts";
import { type NotificationTypes, typeLabel } from "../../notifications/index.ts";
import { isoDate, isoDateOrNull } from "../iso-date.ts";

const relatedId = z.int().nullable();

/** An inbox item in the `django` contract: AppNotification in its document. */
export const itemSchema = z
  .object({
    id: z.int().meta({ description: "The item's number in its owner's inbox" }),
    notification_type: z.string(),
    notification_type_display: z.string(),
    title: z.string(),
    message: z.string(),
    related_order_id: relatedId,
    related_product_id: relatedId,
    related_review_id: relatedId,
    related_comment_id: relatedId,
    is_read: z.boolean(),
    read_at: timestamp.nullable(),
    created_at: timestamp,
  })
  .meta({ id: "AppNotification" }) satisfies z.ZodType<DjangoItem>;

/** An item as the `django` contract answers it: AppNotification in its document. */
export interface DjangoItem {
  /** The item's number in its owner's inbox. */
  readonly id: number;
  readonly notification_type: string;
  /** The label of a declared type, else the type in title case. */
  readonly notification_type_display: string;
  readonly title: string;
  readonly message: string;
  /** Related ids come from the item's data; null for what is no whole number there. */
  readonly related_order_id: number | null;
  readonly related_product_id: number | null;
  readonly related_review_id: number | null;
  readonly related_comment_id: number | null;
  readonly is_read: boolean;
  /** ISO 8601, UTC, milliseconds; null until it is read. */
  readonly read_at: string | null;
  readonly created_at: string;
}

/** What the `django` contract shows of an inbox item. */
export type DjangoItemSource = Pick<InboxItem, "seq" | "type" | "title" | "message" | "data" | "readAt" | "createdAt">;

/**
 * Renders an inbox item as the `django` contract does, for sockets, push messages and routes of the host's own that the same front
 * end reads.
 *
 * @param types the declared types, which have the labels: `notifications.types`
 * @example
 * ```ts
 * const item = await notifications.inbox("user_123").get({ seq: 42 });
 * socket.send(JSON.stringify(djangoItem(item, notifications.types)));
 * ```
 */
export function djangoItem(item: DjangoItemSource, types: NotificationTypes): DjangoItem {
  return {
    id: item.seq,
    notification_type: item.type,
    notification_type_display: typeLabel(types, item.type),
    title: item.title,
    message: item.message,
    related_order_id: related(item, "related_order_id"),
    related_product_id: related(item, "related_product_id"),
    related_review_id: related(item, "related_review_id"),
    related_comment_id: related(item, "related_comment_id"),
    is_read: item.readAt !== null,
    read_at: isoDateOrNull(item.readAt),
    created_at: isoDate(item.createdAt),
  };
}

/** Returns a related id from the data: a whole number, also one that is written as a text of digits. Any other value is no id. */
function related({ data }: DjangoItemSource, key: string): number | null {
  const value: JsonValue | undefined = Object.hasOwn(data, key) ? data[key] : undefined;
  const id = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  return typeof id === "number" && Number.isSafeInteger(id) ? id : null;
}
