import type { InboxItem, JsonObject, Owner } from "@belfry/core";
import { sql } from "drizzle-orm";
import { inboxCounters, inboxItems, notifications, readMarks } from "../schema.ts";

/** An inbox item as SQLite gives it; whose it is, the caller knows. */
export interface ItemRow {
  readonly id: string;
  readonly type: string;
  readonly title: string;
  readonly message: string;
  readonly data: string;
  readonly source: string | null;
  readonly sender: string | null;
  /** When it came into the inbox: with its notification, or, in a large fan-out, with its chunk. */
  readonly created_at: number;
  readonly seq: number;
  readonly read_at: number | null;
  readonly deleted_at: number | null;
}

/**
 * When an item was read: its own time, else that of the earliest mark that covers it. Items above the newest mark do
 * not look for one.
 */
const READ_AT = sql`coalesce(${inboxItems.readAt}, case when ${inboxItems.seq} <= ${inboxCounters.readUpToSeq} then (
  select ${readMarks.readAt} from ${readMarks}
  where ${readMarks.tenant} = ${inboxCounters.tenant} and ${readMarks.userId} = ${inboxCounters.userId}
    and ${readMarks.upToSeq} >= ${inboxItems.seq}
  order by ${readMarks.upToSeq} limit 1) end)`;

/** The columns of {@link ItemRow}, over the notification, the item and the counters of its inbox. */
export const ITEM_COLUMNS = sql`
  ${notifications.id}, ${notifications.type}, ${notifications.title}, ${notifications.message}, ${notifications.data},
  ${notifications.source}, ${notifications.sender}, ${inboxItems.createdAt}, ${inboxItems.seq}, ${READ_AT} as read_at,
  ${inboxItems.deletedAt}`;

/** The inbox item that a row stands for. */
export function toItem(row: ItemRow, owner: Owner): InboxItem {
  return {
    id: row.id,
    tenant: owner.tenant,
    type: row.type,
    title: row.title,
    message: row.message,
    data: JSON.parse(row.data) as JsonObject,
    source: row.source,
    sender: row.sender,
    createdAt: new Date(row.created_at),
    userId: owner.userId,
    seq: row.seq,
    readAt: row.read_at === null ? null : new Date(row.read_at),
  };
}
