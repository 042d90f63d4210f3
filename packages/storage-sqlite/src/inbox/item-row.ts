import type { InboxItem, ItemRef, JsonObject, Notification, Owner, StoredItem } from "@belfry/core";
import type { ItemPlace } from "@belfry/core/storage";
import { fieldsOf, nullableOf } from "@belfry/storage-sql";
import { DIALECT } from "../database/sql.ts";
import type { QueryContext } from "../database/statement.ts";
import { ITEMS, OWN, OWN_ITEMS } from "./conditions.ts";
import { type InboxState, prepareInboxState, type ReadState, type SeenState } from "./inbox-state.ts";

/** The columns of a notification that are written and read. */
export const NOTIFICATION_FIELDS = fieldsOf<Notification>(DIALECT.schema.notifications, DIALECT);

/** The fields that few notifications have. To write them as null costs a create some hundredths. */
const RARE_FIELDS = nullableOf<Notification>(DIALECT.schema.notifications);

/** The columns of a notification that {@link isUsual}: it has none of the rare fields. */
export const USUAL_FIELDS = fieldsOf<Notification>(DIALECT.schema.notifications, DIALECT, ["pk", ...RARE_FIELDS]);

/** The numbers that one mark was the first to cover. */
interface Covered {
  readonly after_seq: number;
  readonly up_to_seq: number;
  readonly read_at: number;
}

/**
 * Reads the states of the items of one inbox. An item was read at its own time, else at that of the earliest mark that
 * covers it. A mark is looked up only if an item needs one, and neighbours usually share it. Within the statement that
 * reads the items, the look-up would slow every item down, read by a mark or not.
 */
export function prepareReadTimes(context: QueryContext) {
  const readAgain = prepareReadAgain(context);
  const earliest = context.prepare<Owner & { readonly seq: number }, Covered>(`
    SELECT m.up_to_seq, m.read_at, coalesce((
        SELECT up_to_seq FROM belfry_read_marks WHERE ${OWN} AND up_to_seq < m.up_to_seq ORDER BY up_to_seq DESC LIMIT 1), 0) AS after_seq
    FROM belfry_read_marks m WHERE ${OWN} AND m.up_to_seq >= :seq ORDER BY m.up_to_seq, m.rev LIMIT 1`);
  return (owner: Owner, { readUpToSeq, seenUpToSeq, seenRev }: Omit<ReadState, "readRev" | "removedUpToSeq">): ItemStates => {
    let mark: Covered | undefined;
    const readAt: ItemStates["readAt"] = (seq, ownReadAt, unreadRev) => {
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
    return { readAt, seenUpToSeq, seenRev };
  };
}

/** Finds when an item that was marked unread by a change was read again: the time of the earliest later mark that covers it. */
function prepareReadAgain({ prepare }: QueryContext) {
  const earliestAfter = prepare<Owner & { readonly seq: number; readonly rev: number }, Pick<Covered, "read_at">>(
    `SELECT read_at FROM belfry_read_marks WHERE ${OWN} AND up_to_seq >= :seq AND rev > :rev ORDER BY up_to_seq, rev LIMIT 1`,
  );
  return (owner: Owner, seq: number, rev: number): number | null => earliestAfter.get({ ...owner, seq, rev })?.read_at ?? null;
}

/** An active inbox item as SQLite gives it: a list, which the driver makes faster than an object. Times in milliseconds. */
export type ActiveItemRow = readonly [
  id: string,
  type: string,
  title: string,
  message: string,
  data: string,
  source: string | null,
  actor: string | null,
  /** When it came into the inbox: with its notification, or, in a large fan-out, with its chunk. */
  createdAt: number,
  seq: number,
  /** The item's own read time; a read mark may cover it too. */
  ownReadAt: number | null,
  /** The change that marked it unread again, if one did. */
  unreadRev: number | null,
  priority: Notification["priority"],
  kind: Notification["kind"],
  url: string | null,
  actions: string | null,
  rendered: number | null,
  expiresAt: number | null,
  pinnedAt: number | null,
  group: string | null,
  replaceKey: string | null,
  /** The change that marked it seen; negative if it was marked unseen. */
  seenMark: number | null,
  category: string | null,
];

/** The row of an item that is not deleted. */
export type ItemRow = readonly [...item: ActiveItemRow, archivedAt: number | null, snoozedUntil: number | null];

/** The row of an item that may be deleted. */
export type AnyItemRow = readonly [...item: ItemRow, deletedAt: number | null];

/** Any of these rows. */
type ReadRow = readonly [...item: ActiveItemRow, archivedAt?: number | null, snoozedUntil?: number | null, deletedAt?: number | null];

/** The index of `seq` in an {@link ItemRow}. */
export const SEQ = 8;
/** The index of `actions` in an {@link ItemRow}. */
export const ACTIONS = 14;
/** The index of `deletedAt` in an {@link AnyItemRow}. */
export const DELETED_AT = 24;

/** The columns of an {@link ActiveItemRow}, over the item `i` and its notification `n`: each column of a list costs it a fortieth. */
export const ACTIVE_COLUMNS = `n.id, i.type, n.title, n.message, n.data, n.source, n.sender, i.created_at, i.seq, i.read_at,
  i.unread_rev, n.priority, n.kind, n.url, n.actions, n.rendered, n.expires_at, i.pinned_at, i.group_name, n.replace_key, i.seen_mark, i.category`;

/** The columns of an {@link ItemRow}. */
const ITEM_COLUMNS = `${ACTIVE_COLUMNS}, i.archived_at, i.snoozed_until`;

/** The columns of the items of a place. */
export type PlaceColumns = Readonly<Record<ItemPlace, string>>;

/** The columns of the items of each place: what is active is neither archived nor snoozed. */
export const COLUMNS_IN_PLACE: PlaceColumns = { active: ACTIVE_COLUMNS, archived: ITEM_COLUMNS, snoozed: ITEM_COLUMNS };

/** The columns of an {@link AnyItemRow}. */
export const ANY_ITEM_COLUMNS = `${ITEM_COLUMNS}, i.deleted_at`;

/** Items of the inbox of the values `tenant` and `userId`, with their notifications. Other conditions may follow. */
export function selectOwnItems(columns: string, items = ITEMS): string {
  return `SELECT ${columns} FROM ${items} CROSS JOIN belfry_notifications n ON n.pk = i.notification_pk WHERE ${OWN_ITEMS}`;
}

/** The states of the items of one inbox. */
export interface ItemStates extends SeenState {
  /** Tells when an item was read, in milliseconds, from its number and its own marks; null while it is unread. */
  readAt(seq: number, ownReadAt: number | null, unreadRev: number | null): number | null;
}

/** Whether a mark of its own, or of its whole inbox, makes an item seen, besides reading it. */
function isMarkedSeen(seq: number, seenMark: number | null, { seenUpToSeq, seenRev }: SeenState): boolean {
  return seenMark === null ? seq <= seenUpToSeq : seenMark > 0 || (seq <= seenUpToSeq && -seenMark <= seenRev);
}

function dateOf(milliseconds: number | null): Date | null {
  return milliseconds === null ? null : new Date(milliseconds);
}

/** The inbox item that a row stands for. */
export function toItem(row: ReadRow, owner: Owner, states: ItemStates): InboxItem {
  const [id, type, title, message, data, source, actor, createdAt, seq, ownReadAt, unreadRev] = row;
  // A rest would make a list of its own for each item.
  const { 11: priority, 12: kind, 13: url, 14: actions, 15: rendered, 16: expiresAt } = row;
  const { 17: pinnedAt, 18: group, 19: replaceKey, 20: seenMark, 21: category, 22: archivedAt = null, 23: snoozedUntil = null } = row;
  const readAt = states.readAt(seq, ownReadAt, unreadRev);
  return {
    id,
    tenant: owner.tenant,
    kind,
    type,
    title,
    message,
    data: JSON.parse(data) as JsonObject,
    source,
    actor,
    createdAt: new Date(createdAt),
    priority,
    url,
    actions: actions === null ? null : (JSON.parse(actions) as Notification["actions"]),
    rendered,
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
    category,
    group,
    replaceKey,
    userId: owner.userId,
    seq,
    readAt: dateOf(readAt),
    isSeen: readAt !== null || isMarkedSeen(seq, seenMark, states),
    pinnedAt: dateOf(pinnedAt),
    archivedAt: dateOf(archivedAt),
    snoozedUntil: dateOf(snoozedUntil),
  };
}

/** The marks of an item's inbox, which stand before the item in lists over several inboxes. */
export type MarksRow = readonly [readUpToSeq: number, seenUpToSeq: number, seenRev: number];

/** The columns of a {@link MarksRow}, of the counters `c`. */
export const MARKS_COLUMNS = "c.read_up_to_seq, coalesce(c.seen_up_to_seq, 0), coalesce(c.seen_rev, 0)";

/** The columns of a {@link StoredItem}, without those that only a library's caller may want. */
const STORED_COLUMNS = "n.id, i.type, n.title, n.message, n.data, i.created_at, i.seq, i.read_at, i.unread_rev";

type StoredRow = readonly [
  id: string,
  type: string,
  title: string,
  message: string,
  dataJson: string,
  createdAtMs: number,
  seq: number,
  ownReadAt: number | null,
  unreadRev: number | null,
];

/** The same columns for the items of each place. */
export const STORED_IN_PLACE: PlaceColumns = { active: STORED_COLUMNS, archived: STORED_COLUMNS, snoozed: STORED_COLUMNS };

/** The stored item of a row of {@link STORED_COLUMNS}. */
export function toStoredItem(row: StoredRow, { userId }: Owner, states: ItemStates): StoredItem {
  const [id, type, title, message, dataJson, createdAtMs, seq, ownReadAt, unreadRev] = row;
  return { id, userId, type, title, message, dataJson, createdAtMs, seq, readAtMs: states.readAt(seq, ownReadAt, unreadRev) };
}

/** An item that an inbox has or had. */
export interface FoundItem {
  readonly item: InboxItem;
  readonly place: ItemPlace | "deleted";
}

/** Whether an item is archived or snoozed. */
export function isAway({ archivedAt, snoozedUntil }: Pick<InboxItem, "archivedAt" | "snoozedUntil">): boolean {
  return archivedAt !== null || snoozedUntil !== null;
}

function placeOf({ archivedAt, snoozedUntil }: InboxItem, isActive: boolean): FoundItem["place"] {
  if (isActive) {
    return "active";
  }
  const left = snoozedUntil === null ? "deleted" : "snoozed";
  return archivedAt === null ? left : "archived";
}

/** Finds an item of an inbox by its id or number, even if it is deleted. */
export function prepareFindItem(context: QueryContext) {
  const readTimes = prepareReadTimes(context);
  const bySeq = context.prepareRows<Owner & { readonly seq: number }, AnyItemRow>(`${selectOwnItems(ANY_ITEM_COLUMNS)} AND i.seq = +:seq`);
  const byId = context.prepareRows<Owner & { readonly id: string }, AnyItemRow>(`
    SELECT ${ANY_ITEM_COLUMNS} FROM belfry_notifications n CROSS JOIN belfry_inbox_items i ON i.notification_pk = n.pk
    WHERE n.tenant = +:tenant AND n.id = +:id AND i.user_id = +:userId`);
  return (owner: Owner, state: InboxState, ref: ItemRef): FoundItem | undefined => {
    // Ids are stored in lower case; a UUID may be written in either.
    const row = typeof ref === "string" ? byId.get({ ...owner, id: ref.toLowerCase() }) : bySeq.get({ ...owner, seq: ref.seq });
    if (row === undefined) {
      return undefined;
    }
    const item = toItem(row, owner, readTimes(owner, state));
    return { item, place: placeOf(item, row[DELETED_AT] === null && item.seq > state.removedUpToSeq) };
  };
}

/** Items of an inbox, with the inbox's state. */
export interface NamedItems {
  readonly state: InboxState;
  readonly items: readonly InboxItem[];
}

/** Finds the items of an inbox that are named and in one of the places, each once, with the inbox's state. */
export function prepareFindItems(context: QueryContext) {
  const inboxState = prepareInboxState(context);
  const findItem = prepareFindItem(context);
  return (owner: Owner, refs: readonly ItemRef[], places: readonly ItemPlace[] = ["active"]): NamedItems => {
    const state = inboxState(owner);
    const bySeq = new Map<number, InboxItem>();
    for (const ref of refs) {
      const found = findItem(owner, state, ref);
      if (found && places.some((place) => place === found.place)) {
        bySeq.set(found.item.seq, found.item);
      }
    }
    return { state, items: [...bySeq.values()] };
  };
}
