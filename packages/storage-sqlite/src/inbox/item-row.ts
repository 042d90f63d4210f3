import type { InboxItem, ItemRef, JsonObject, Notification, Owner } from "@belfry/core";
import { fieldsOf } from "@belfry/storage-sql";
import { sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { DIALECT } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";
import { inboxItems, notifications, readMarks } from "../schema.ts";
import { joinValue } from "./conditions.ts";
import type { InboxState, ReadState } from "./inbox-state.ts";

/** The columns of a notification that are written and read. */
export const NOTIFICATION_FIELDS = fieldsOf<Notification>(notifications, DIALECT);

/** The numbers that one mark was the first to cover. */
interface Covered {
  readonly after_seq: number;
  readonly up_to_seq: number;
  readonly read_at: number;
}

/**
 * Makes, for one inbox, what tells when its items were read: an item's own time, else that of the earliest mark that
 * covers it, else null. Marks are looked up only where an item needs one, and neighbours usually share it; as part of
 * the statement that reads the items, the look-up costs every item, read by a mark or not.
 */
export function prepareReadTimes(context: QueryContext) {
  const { prepare } = context;
  const readAgain = prepareReadAgain(context);
  const earlier = alias(readMarks, "earlier");
  const earliest = prepare<Owner & { readonly seq: number }, Covered>(sql`
    select ${readMarks.upToSeq}, ${readMarks.readAt}, coalesce((
        select ${earlier.upToSeq} from ${readMarks} as ${earlier}
        where ${earlier.tenant} = ${readMarks.tenant} and ${earlier.userId} = ${readMarks.userId}
          and ${earlier.upToSeq} < ${readMarks.upToSeq}
        order by ${earlier.upToSeq} desc limit 1), 0) as after_seq
    from ${readMarks}
    where ${readMarks.tenant} = ${sql.placeholder("tenant")} and ${readMarks.userId} = ${sql.placeholder("userId")}
      and ${readMarks.upToSeq} >= ${sql.placeholder("seq")}
    order by ${readMarks.upToSeq}, ${readMarks.rev} limit 1`);
  return (owner: Owner, { readUpToSeq }: Pick<ReadState, "readUpToSeq">): ReadTime => {
    let mark: Covered | undefined;
    return (seq, ownReadAt, unreadRev) => {
      if (ownReadAt !== null || seq > readUpToSeq) {
        return ownReadAt;
      }
      if (unreadRev !== null) {
        return readAgain(owner, seq, unreadRev);
      }
      if (mark === undefined || seq <= mark.after_seq || seq > mark.up_to_seq) {
        mark = earliest.get({ ...owner, seq });
      }
      return mark?.read_at ?? null;
    };
  };
}

/** Finds when an item that was marked unread by a change was read again: the time of the earliest later mark that covers it. */
function prepareReadAgain({ prepare }: QueryContext) {
  const earliestAfter = prepare<Owner & { readonly seq: number; readonly rev: number }, Pick<Covered, "read_at">>(sql`
    select ${readMarks.readAt} from ${readMarks}
    where ${readMarks.tenant} = ${sql.placeholder("tenant")} and ${readMarks.userId} = ${sql.placeholder("userId")}
      and ${readMarks.upToSeq} >= ${sql.placeholder("seq")} and ${readMarks.rev} > ${sql.placeholder("rev")}
    order by ${readMarks.upToSeq}, ${readMarks.rev} limit 1`);
  return (owner: Owner, seq: number, rev: number): number | null => earliestAfter.get({ ...owner, seq, rev })?.read_at ?? null;
}

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

/** An item that an inbox has or had. */
export interface FoundItem {
  readonly item: InboxItem;
  readonly isDeleted: boolean;
}

/** Finds one item of an inbox by either of its names, deleted ones included. */
export function prepareFindItem(context: QueryContext) {
  const readTimes = prepareReadTimes(context);
  const bySeq = context.prepareRows<Owner & { readonly seq: number }, ItemRow>(sql`
    select ${ITEM_COLUMNS}
    from ${inboxItems} cross join ${notifications} on ${notifications.pk} = ${inboxItems.notificationPk}
    where ${inboxItems.tenant} = ${joinValue("tenant")} and ${inboxItems.userId} = ${joinValue("userId")}
      and ${inboxItems.seq} = ${joinValue("seq")}`);
  const byId = context.prepareRows<Owner & { readonly id: string }, ItemRow>(sql`
    select ${ITEM_COLUMNS}
    from ${notifications} cross join ${inboxItems} on ${inboxItems.notificationPk} = ${notifications.pk}
    where ${notifications.tenant} = ${joinValue("tenant")} and ${notifications.id} = ${joinValue("id")}
      and ${inboxItems.userId} = ${joinValue("userId")}`);
  return (owner: Owner, state: InboxState, ref: ItemRef): FoundItem | undefined => {
    // Ids are stored in lower case; a UUID may be written in either.
    const row = typeof ref === "string" ? byId.get({ ...owner, id: ref.toLowerCase() }) : bySeq.get({ ...owner, seq: ref.seq });
    if (row === undefined) {
      return undefined;
    }
    return { item: toItem(row, owner, readTimes(owner, state)), isDeleted: row[DELETED_AT] !== null };
  };
}
