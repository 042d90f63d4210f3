import type { InboxItem, JsonObject, Notification, Owner, StoredItem } from "@belfry/core";
import type { ItemPlace } from "@belfry/core/storage";
import { nullableOf } from "@belfry/storage-sql";
import { fieldsOf } from "../database/fields.ts";
import { DIALECT } from "../database/sql.ts";
import { milliseconds } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** An inbox item as a statement answers with it. Times in milliseconds since 1970, UTC. */
export type ItemRow = readonly [
  type: string,
  id: string,
  kind: Notification["kind"],
  title: string,
  message: string,
  data: JsonObject,
  source: string | null,
  actor: string | null,
  priority: Notification["priority"],
  url: string | null,
  actions: Notification["actions"],
  rendered: number | null,
  expiresAt: number | null,
  group: string | null,
  replaceKey: string | null,
  /** When it came into the inbox: with its notification, or, in a large fan-out, with its chunk. */
  createdAt: number,
  seq: number,
  readAt: number | null,
  /** Whether a mark makes it seen; a read item is seen without one. */
  isMarkedSeen: boolean,
  pinnedAt: number | null,
  archivedAt: number | null,
  snoozedUntil: number | null,
  category: string | null,
];

/** An {@link ItemRow}, or nulls if a left join found no item. */
export type MaybeItemRow = ItemRow | readonly null[];

/** Where an item's read time comes from. */
export interface ReadTimeSource {
  readonly tenant: string;
  readonly userId: string;
  /** The table or alias with the columns `read_up_to_seq` and `read_rev` of the item's inbox. */
  readonly state: string;
}

/** Whether the newest read mark covers the item `i`, whose inbox's state is `state`: it was not marked unread later. */
function isCovered(state: string): string {
  return `i.seq <= ${state}.read_up_to_seq AND (i.unread_rev IS NULL OR i.unread_rev <= ${state}.read_rev)`;
}

/** Whether the item `i` is read. */
export function isRead(state: string): string {
  return `(i.read_at IS NOT NULL OR (${isCovered(state)}))`;
}

/** Whether the item `i` is unread. The first part bounds the scan: no lower item is. */
export function isUnread(state: string): string {
  return `(i.seq > least(${state}.read_up_to_seq, ${state}.reopened_from_seq - 1) AND i.read_at IS NULL AND NOT (${isCovered(state)}))`;
}

/** Whether a mark of its own, or of its whole inbox, makes the item `i` seen, besides reading it. */
export function isMarkedSeen(state: string): string {
  return `(coalesce(i.seen_mark > 0, false) OR (i.seq <= coalesce(${state}.seen_up_to_seq, 0)
    AND -coalesce(i.seen_mark, 0) <= coalesce(${state}.seen_rev, 0)))`;
}

const EXPIRES_AT = "expires_at";

/** The columns that an item takes from its notification, in the order of an {@link ItemRow}, without the item's own. */
const CONTENT = Object.values({
  id: "id",
  kind: "kind",
  title: "title",
  message: "message",
  data: "data",
  source: "source",
  actor: "sender",
  priority: "priority",
  url: "url",
  actions: "actions",
  rendered: "rendered",
  expiresAt: EXPIRES_AT,
  group: "group_name",
  replaceKey: "replace_key",
} satisfies Readonly<Record<Exclude<keyof Notification, "tenant" | "type" | "category" | "createdAt">, string>>);

/** The columns of a notification that its items show, of the table by an alias. */
export function contentOf(alias?: string): string {
  return CONTENT.map((name) => (alias === undefined ? name : `${alias}.${name}`)).join(", ");
}

/** The columns of {@link ITEM_MARKS} as SQL, where an item does not have them as they are stored. */
export interface ItemMarks {
  readonly isMarkedSeen?: string;
  readonly pinnedAt?: string;
  readonly archivedAt?: string;
  readonly snoozedUntil?: string;
}

/** Whether the item `i` is active, whose inbox's state is `state`. */
export function isActive(state: string): string {
  return `(i.deleted_at IS NULL AND i.seq > coalesce(${state}.removed_up_to_seq, 0))`;
}

/** Whether the item `i` is not deleted, whose inbox's state is `state`. */
export function isThere(state: string): string {
  return `(${isActive(state)} OR i.archived_at IS NOT NULL OR i.snoozed_until IS NOT NULL)`;
}

/** The items `i` of each place, in the inbox whose state is `inbox`. */
export const IN_PLACE: Readonly<Record<ItemPlace, string>> = {
  active: isActive("inbox"),
  archived: "i.archived_at IS NOT NULL",
  snoozed: "i.snoozed_until IS NOT NULL",
};

/** Where an item is: `isInactive` says whether it has left the active ones. */
export function placeOf({ archivedAt, snoozedUntil }: InboxItem, isInactive: boolean): ItemPlace | "deleted" {
  if (!isInactive) {
    return "active";
  }
  const left = snoozedUntil === null ? "deleted" : "snoozed";
  return archivedAt === null ? left : "archived";
}

/** Whether an item is archived or snoozed. */
export function isAway({ archivedAt, snoozedUntil }: Pick<InboxItem, "archivedAt" | "snoozedUntil">): boolean {
  return archivedAt !== null || snoozedUntil !== null;
}

/** The columns of an item that only its own list reads. */
export const ITEM_MARKS = "seen_mark, pinned_at, archived_at, snoozed_until, category";

/** The same, of an item `i`. */
export const ITEM_MARKS_OF_I = ITEM_MARKS.replaceAll(/\w+/g, "i.$&");

/**
 * The columns of an {@link ItemRow}, of the item `i` and its notification `n`, with an SQL expression for its read time.
 *
 * @param marks of the item, or the name of its inbox's state
 */
export function itemColumns(readTime: string, marks: ItemMarks | string = {}): string {
  const state = typeof marks === "string" ? marks : "inbox";
  const own = typeof marks === "string" ? {} : marks;
  const { isMarkedSeen: isSeen = isMarkedSeen(state), pinnedAt = "i.pinned_at", archivedAt = "i.archived_at" } = own;
  const { snoozedUntil = "i.snoozed_until" } = own;
  const content = CONTENT.map((name) => (name === EXPIRES_AT ? milliseconds(`n.${name}`) : `n.${name}`)).join(", ");
  const times = `${milliseconds(pinnedAt)}, ${milliseconds(archivedAt)}, ${milliseconds(snoozedUntil)}`;
  return `i.type, ${content}, ${milliseconds("i.created_at")}, i.seq, ${milliseconds(readTime)}, ${isSeen}, ${times}, i.category`;
}

/** How many columns {@link itemColumns} has. */
export const ITEM_WIDTH = CONTENT.length + 9;

/** The columns of a {@link StoredItem}, with an SQL expression for its read time. */
export function storedColumns(readTime: string): string {
  return `n.id, i.type, n.title, n.message, n.data::text, ${milliseconds("i.created_at")}, i.seq, ${milliseconds(readTime)}`;
}

/** How many columns {@link storedColumns} has. */
export const STORED_WIDTH = 8;

type StoredRow = readonly [
  id: string,
  type: string,
  title: string,
  message: string,
  dataJson: string,
  createdAtMs: number,
  seq: number,
  readAtMs: number | null,
];

/** The stored item of a row of {@link storedColumns}. */
export function toStoredItem(row: StoredRow, { userId }: Owner): StoredItem {
  const [id, type, title, message, dataJson, createdAtMs, seq, readAtMs] = row;
  return { id, userId, type, title, message, dataJson, createdAtMs, seq, readAtMs };
}

/** When the item `i` was read: its own time, else that of the earliest mark that covers it, else null. */
export function readTime({ readMarks }: TableNames, { tenant, userId, state }: ReadTimeSource): string {
  return `coalesce(i.read_at, CASE WHEN ${isCovered(state)} THEN (
    SELECT m.read_at FROM ${readMarks} m WHERE m.tenant = ${tenant} AND m.user_id = ${userId} AND m.up_to_seq >= i.seq
      AND m.rev > coalesce(i.unread_rev, -1)
    ORDER BY m.up_to_seq, m.rev LIMIT 1) END)`;
}

/** The read time in statements about the inbox of tenant $1 and user $2, whose state is `inbox`. */
export function ownReadTime(tables: TableNames): string {
  return readTime(tables, { tenant: "$1", userId: "$2", state: "inbox" });
}

/**
 * Joins the notification `n` of each item `i`. The fence (OFFSET 0) makes the planner, which may expect many items, look
 * each one up by key instead of reading all.
 */
export function joinNotification({ notifications }: TableNames): string {
  return `LEFT JOIN LATERAL (
    SELECT ${contentOf()} FROM ${notifications} WHERE pk = i.notification_pk OFFSET 0
  ) n ON true`;
}

/** The inbox item that a row stands for. */
export function toItem(row: ItemRow, owner: Owner): InboxItem {
  const [
    type,
    id,
    kind,
    title,
    message,
    data,
    source,
    actor,
    priority,
    url,
    actions,
    rendered,
    expiresAt,
    group,
    replaceKey,
    createdAt,
    seq,
    readAt,
    ...marks
  ] = row;
  const [isSeen, pinnedAt, archivedAt, snoozedUntil, category] = marks;
  return {
    id,
    kind,
    tenant: owner.tenant,
    type,
    title,
    message,
    data,
    source,
    actor,
    priority,
    url,
    actions,
    rendered,
    group,
    replaceKey,
    createdAt: new Date(createdAt),
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
    category,
    userId: owner.userId,
    seq,
    readAt: dateOf(readAt),
    isSeen: readAt !== null || isSeen,
    pinnedAt: dateOf(pinnedAt),
    archivedAt: dateOf(archivedAt),
    snoozedUntil: dateOf(snoozedUntil),
  };
}

function dateOf(milliseconds: number | null): Date | null {
  return milliseconds === null ? null : new Date(milliseconds);
}

/** Whether a row has an item. */
export function isItemRow(row: MaybeItemRow): row is ItemRow {
  return row[0] !== null;
}

/** The columns of a notification that are written and read. */
export const NOTIFICATION_FIELDS = fieldsOf<Notification>(DIALECT.schema.notifications);

/** The fields that few notifications have. To write them as null costs a create some hundredths. */
const RARE_FIELDS = nullableOf<Notification>(DIALECT.schema.notifications);

/** The columns of a notification that {@link isUsual}: it has none of the rare fields. */
export const USUAL_FIELDS = fieldsOf<Notification>(DIALECT.schema.notifications, ["pk", ...RARE_FIELDS]);
