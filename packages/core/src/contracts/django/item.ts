import { z } from "zod";
import type { JsonValue } from "../../foundation/json.ts";
import { timestamp } from "../../http/parameters.ts";
import type { InboxItem } from "../../inbox/index.ts";
import { type NotificationTypes, typeLabel } from "../../notifications/index.ts";
import { isoDate, isoDateOrNull } from "../iso-date.ts";

const relatedId = z.union([z.int(), z.string()]).nullable();

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
  .meta({ id: "AppNotification" });

/** Renders an inbox item for the contract. */
export function renderItem(item: InboxItem, types: NotificationTypes): z.infer<typeof itemSchema> {
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

/** Returns a related id from the data. The client reads null, whole numbers and numeric texts; any other value is no id. */
function related(item: InboxItem, key: string): number | string | null {
  const value: JsonValue | undefined = Object.hasOwn(item.data, key) ? item.data[key] : undefined;
  if (typeof value === "number") {
    return Number.isInteger(value) ? value : null;
  }
  return typeof value === "string" && /^\d+$/.test(value) ? value : null;
}
