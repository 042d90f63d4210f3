import type { InboxItem, JsonObject, Notification, Owner } from "@belfry/core";
import { sql } from "drizzle-orm";
import { inboxItems, notifications } from "../schema.ts";

/** An inbox item as SQLite gives it: a list, which the driver makes faster than an object. Times in milliseconds. */
export type ItemRow = readonly [
  id: string,
  type: string,
  title: string,
  message: string,
  data: string,
  source: string | null,
  sender: string | null,
  /** When it came into the inbox: with its notification, or, in a large fan-out, with its chunk. */
  createdAt: number,
  seq: number,
  /** The time of its own; a read mark may cover it all the same. */
  ownReadAt: number | null,
  deletedAt: number | null,
  /** The change that marked it unread again, if one did. */
  unreadRev: number | null,
  priority: Notification["priority"],
  kind: Notification["kind"],
];

/** Where an {@link ItemRow} has `deletedAt`. */
export const DELETED_AT = 10;

/** The columns of an {@link ItemRow}, over the item and its notification. */
export const ITEM_COLUMNS = sql`
  ${notifications.id}, ${inboxItems.type}, ${notifications.title}, ${notifications.message}, ${notifications.data},
  ${notifications.source}, ${notifications.sender}, ${inboxItems.createdAt}, ${inboxItems.seq}, ${inboxItems.readAt},
  ${inboxItems.deletedAt}, ${inboxItems.unreadRev}, ${notifications.priority}, ${notifications.kind}`;

/** Tells when an item was read, in milliseconds, from its number and its own marks; null while it is unread. */
export type ReadTime = (seq: number, ownReadAt: number | null, unreadRev: number | null) => number | null;

/** The inbox item that a row stands for. */
export function toItem(row: ItemRow, owner: Owner, readTime: ReadTime): InboxItem {
  const [id, type, title, message, data, source, sender, createdAt, seq, ownReadAt, , unreadRev, priority, kind] = row;
  const readAt = readTime(seq, ownReadAt, unreadRev);
  return {
    id,
    tenant: owner.tenant,
    kind,
    type,
    title,
    message,
    data: JSON.parse(data) as JsonObject,
    source,
    sender,
    createdAt: new Date(createdAt),
    priority,
    userId: owner.userId,
    seq,
    readAt: readAt === null ? null : new Date(readAt),
  };
}
