import { z } from "zod";
import { timestamp } from "../../http/parameters.ts";
import type { InboxItem } from "../../inbox/index.ts";
import { isoDate, isoDateOrNull } from "../iso-date.ts";

/** An inbox item in the `inbox-v1` contract. */
export const itemSchema = z
  .object({
    id: z.uuid(),
    user_id: z.string(),
    type: z.string(),
    title: z.string(),
    message: z.string(),
    data: z.record(z.string(), z.unknown()),
    status: z.enum(["unread", "read"]),
    read_at: timestamp.nullable(),
    created_at: timestamp,
  })
  .meta({ id: "Notification" });

/** An inbox item as JSON of the `inbox-v1` contract. */
export type InboxV1Item = z.infer<typeof itemSchema>;

/** Renders an inbox item for the contract. */
export function renderItem(item: InboxItem): InboxV1Item {
  return {
    id: item.id,
    user_id: item.userId,
    type: item.type,
    title: item.title,
    message: item.message,
    data: item.data,
    status: item.readAt === null ? "unread" : "read",
    read_at: isoDateOrNull(item.readAt),
    created_at: isoDate(item.createdAt),
  };
}
