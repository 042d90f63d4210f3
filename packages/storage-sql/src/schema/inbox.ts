import type { JsonObject, LoggedKind, Notification, NotificationAction, NotificationKind } from "@belfry/core";
import { columns as c, table } from "./columns.ts";

const owner = { tenant: c.bytewise, userId: c.bytewise };

/** The tables of inboxes. */
export const INBOX = {
  /**
   * One row for each notification, however many users get it. In PostgreSQL `data` is `json`, not `jsonb`: it comes back as
   * it was written, with its members in the same order, and costs less to write.
   */
  notifications: table(
    {
      /** For joins; the public id is `id`. */
      pk: c.key,
      tenant: c.bytewise,
      /** UUIDv7 in lower case. */
      id: c.uuid,
      kind: c.textOf<NotificationKind>(),
      type: c.text,
      title: c.text,
      message: c.text,
      data: c.jsonOf<JsonObject>(),
      source: c.nullable(c.text),
      /** The column has the name of older versions. */
      actor: c.named(c.nullable(c.text), "sender"),
      createdAt: c.time,
      priority: c.initially(c.textOf<Notification["priority"]>(), "normal"),
      url: c.nullable(c.text),
      actions: c.nullable(c.jsonOf<readonly NotificationAction[]>()),
      rendered: c.nullable(c.integer),
      expiresAt: c.nullable(c.time),
      /** When its items were taken out of inboxes because it had expired. */
      expiredAt: c.nullable(c.time),
      category: c.nullable(c.text),
      /** The column has another name, since SQL knows the word. */
      group: c.named(c.nullable(c.text), "group_name"),
      replaceKey: c.nullable(c.text),
    },
    // They serve look-up by id and, because a UUIDv7 sorts by time, a tenant's newest first, all or those of a type.
    {
      unique: { tenant_id: ["tenant", "id"] },
      indexes: {
        tenant_type: ["tenant", "type", "id"],
        expiring: { on: ["expiresAt"], where: "expires_at IS NOT NULL AND expired_at IS NULL" },
      },
    },
  ),

  /**
   * Notifications in users' inboxes. An item is read if it has a `readAt`, or if its number is at most the inbox's
   * `readUpToSeq` and it was not marked unread after the inbox's `readRev`. In SQLite this table, like the others whose key has
   * several columns, is `WITHOUT ROWID` in the migrations: it is its own primary key, so that a list is one range scan.
   *
   * An item without a `deletedAt` is deleted, too, if its number is at most the inbox's `removedUpToSeq`.
   *
   * An item is seen if it is read, or marked seen itself, or if the inbox's `seenUpToSeq` covers it and it was not marked unseen
   * after the inbox's `seenRev`.
   */
  inboxItems: table(
    {
      ...owner,
      seq: c.number,
      notificationPk: c.keyOf("notifications"),
      type: c.text,
      createdAt: c.time,
      /** When the owner read this very item; null while unread or read only by a mark. */
      readAt: c.nullable(c.time),
      /** When it left the lists and counts of active items: it was deleted, archived or snoozed. */
      deletedAt: c.nullable(c.time),
      /** The change of the inbox that marked this item unread again. Earlier read marks do not cover the item. */
      unreadRev: c.nullable(c.number),
      /** The change of the inbox that marked this very item seen; negative if it marked the item unseen. */
      seenMark: c.nullable(c.number),
      pinnedAt: c.nullable(c.time),
      /** When it was archived; null unless it is archived. */
      archivedAt: c.nullable(c.time),
      /** Until when it was put off; null unless it is snoozed. */
      snoozedUntil: c.nullable(c.time),
      /** Its notification's, so that lists and counts of a category read items alone. Null for none, and in rows of older versions. */
      category: c.nullable(c.text),
      /** When it last came back after it was put off. */
      wokenAt: c.nullable(c.time),
      /** The group of its notification. */
      group: c.named(c.nullable(c.bytewise), "group_name"),
      /** The key of its notification. It is null again once a later item of that key came, until the item is unread or active again. */
      replaceKey: c.nullable(c.bytewise),
      /** When its notification expires, as long as the item is there; null for never, and in rows of older versions. */
      expiresAt: c.nullable(c.time),
    },
    // One full secondary index: each one more costs every create. The others have only rows of items that were changed, or that have
    // a group or a key.
    {
      key: ["tenant", "userId", "seq"],
      unique: { notification_user: ["notificationPk", "userId"] },
      indexes: {
        archived: { on: ["tenant", "userId", "seq"], with: "archivedAt" },
        snoozed: { on: ["tenant", "userId", "seq"], with: "snoozedUntil" },
        pinned: { on: ["tenant", "userId", "seq"], with: "pinnedAt" },
        woken: { on: ["tenant", "userId", "seq"], with: "wokenAt" },
        grouped: { on: ["tenant", "userId", "group", "seq"], with: "group" },
        replaceable: { on: ["tenant", "userId", "replaceKey", "seq"], with: "replaceKey" },
        expiring: { on: ["tenant", "userId", "expiresAt"], with: "expiresAt" },
        snoozed_group: { on: ["tenant", "userId", "group", "seq"], with: "snoozedUntil" },
      },
    },
  ),

  /**
   * The state of each inbox, changed in the same transaction as its items. In PostgreSQL its row's lock orders the writes of an
   * inbox, and a row whose `lastSeq` is 0 stands for an inbox that never had an item.
   */
  inboxCounters: table(
    {
      ...owner,
      lastSeq: c.number,
      total: c.number,
      unread: c.number,
      /** The newest read mark covers all items up to this number. */
      readUpToSeq: c.number,
      epoch: c.text,
      /** The number of the inbox's last change. New items do not count as changes. */
      rev: c.initially(c.number, 0),
      /** The change that made the newest read mark. */
      readRev: c.initially(c.number, 0),
      /** All items below it that the newest read mark covers are read; null if all covered items are. */
      reopenedFromSeq: c.nullable(c.number),
      // Null stands for 0 in all that follow: most inboxes do without, and their rows stay short.
      /** The newest seen mark covers all items up to this number. */
      seenUpToSeq: c.nullable(c.number),
      /** The change that made that mark. */
      seenRev: c.nullable(c.number),
      /** How many active items are seen, but unread. So creating an unseen item does not touch it. */
      seenUnread: c.nullable(c.number),
      /** How many archived and snoozed items are unread. */
      awayUnread: c.nullable(c.number),
      /** How many archived and snoozed items are seen, but unread. */
      awaySeenUnread: c.nullable(c.number),
      /** When the clock changes the inbox for the first time, or earlier: an item comes back, or expires. Null for never. */
      dueAt: c.nullable(c.time),
      /** The tenant's newest broadcast when the inbox began: earlier ones are not for it, unless they are standing. */
      beganAfter: c.nullable(c.number),
      /** Every broadcast up to this number is placed, or never will be. Null, which is 0, if nobody has looked. */
      placedUpTo: c.nullable(c.number),
      /** Every item up to this number is deleted: see `removedAt`. */
      removedUpToSeq: c.nullable(c.number),
      /** When a deletion of everything read moved that number up; null once each of the items has a `deletedAt` of its own. */
      removedAt: c.nullable(c.time),
      /** The items up to this number have one by now. */
      removedAfterSeq: c.nullable(c.number),
    },
    {
      key: ["tenant", "userId"],
      indexes: { due: { on: ["dueAt"], with: "dueAt" }, removed: { on: ["removedAt"], with: "removedAt" } },
    },
  ),

  /**
   * The groups of each inbox, changed in the same transaction as their items. Counts are of active items. The number of unread ones
   * holds while `readRev` is that of the inbox's counters: a newer mark of the whole inbox covers all items, and leaves 0 without
   * touching the row. A row goes with the last item of its group, deleted ones too; one without active items has a `newestSeq` of 0.
   */
  inboxGroups: table(
    {
      ...owner,
      group: c.named(c.bytewise, "group_name"),
      /** The number of its newest active item. */
      newestSeq: c.number,
      total: c.number,
      unread: c.number,
      /** The `readRev` of the inbox when this row was last changed. */
      readRev: c.number,
      /** The first 50 different actors, as JSON. */
      actors: c.text,
      /** Since when its snoozed items are to come back, because of a new one; null if they keep their own times. */
      dueAt: c.nullable(c.time),
    },
    {
      key: ["tenant", "userId", "group"],
      indexes: { newest: ["tenant", "userId", "newestSeq"], due: { on: ["tenant", "userId"], with: "dueAt" } },
    },
  ),

  /**
   * Each "mark everything read"; it never changes later. An item without a `readAt` of its own was read at the time of the
   * earliest mark that covers it and is later than its `unreadRev`. `rev` is the change of the inbox that made the mark.
   */
  readMarks: table(
    { ...owner, upToSeq: c.number, readAt: c.time, rev: c.initially(c.number, 0) },
    { key: ["tenant", "userId", "upToSeq", "rev"] },
  ),

  /**
   * The changes of each inbox that were made lately, by their number, without text: which items each changed (ranges such as `1-5,9`,
   * all up to a number, or a group), and what state they got. All three are null if it changed too many to name. A sweep walks the key.
   * One that was made for an idempotency key has that, a hash of what was asked for, and how many items it found.
   */
  inboxChanges: table(
    {
      ...owner,
      rev: c.number,
      /** The inbox's last number when it was made. */
      lastSeq: c.number,
      kind: c.textOf<LoggedKind>(),
      /** A list of all numbers in JSON, in lines of an older version; later ones have `seqRanges`. */
      seqs: c.nullable(c.text),
      upToSeq: c.nullable(c.number),
      ofGroup: c.nullable(c.text),
      /** When it was made, in milliseconds: also when its items were read, pinned or archived. */
      at: c.number,
      /** Until when its items are snoozed, in milliseconds. */
      until: c.nullable(c.number),
      seqRanges: c.nullable(c.text),
      /** The first of its numbers, if it has several: see `LoggedChange`. */
      firstRev: c.nullable(c.number),
      /** Until when more of its steps may follow, in milliseconds; null if none does. */
      openUntil: c.nullable(c.number),
      idempotencyKey: c.nullable(c.bytewise),
      bodyHash: c.nullable(c.text),
      found: c.nullable(c.integer),
      /** How many items it changed, where its numbers have others among them; null where they have none. */
      itemCount: c.nullable(c.integer),
    },
    {
      key: ["tenant", "userId", "rev"],
      unique: { idempotency: { on: ["tenant", "userId", "idempotencyKey"], with: "idempotencyKey" } },
    },
  ),

  /** A large audience that is still to be written, in parts. Without a notification it is still being stored, or has ended. */
  fanOuts: table(
    {
      pk: c.key,
      tenant: c.bytewise,
      notificationPk: c.nullable(c.keyOf("notifications", false)),
      /** How its deliveries are made, in JSON; null for items in inboxes alone. */
      plan: c.nullable(c.text),
      /** From when it, and its list, may be dropped; null while it is being written. */
      dropAt: c.nullable(c.time),
    },
    { indexes: { notification: { on: ["notificationPk"], with: "notificationPk" } } },
  ),

  /** A piece of the list of a fan-out. One that changes gets a new key. */
  fanOutParts: table(
    {
      pk: c.counter,
      fanOutPk: c.keyOf("fanOuts"),
      /** The channel that the recipients are addresses of; null for users, sorted bytewise. */
      channel: c.nullable(c.text),
      /** How many recipients of the list come before its own. */
      place: c.number,
      recipients: c.texts,
      /** Until when a process may be at work on it. */
      takenUntil: c.nullable(c.time),
      /** The topic that brings it to these users. */
      topic: c.nullable(c.text),
      /** The only channels that are left for them, as JSON. */
      channels: c.nullable(c.text),
    },
    { indexes: { fan_out: ["fanOutPk", "pk"] } },
  ),

  /** A random number for each tenant, which every change of the content of its notifications replaces. A tenant without a row had none. */
  contentTokens: table({ tenant: c.asKey(c.bytewise), token: c.number }),

  /** Lists of older versions: recipients, sorted bytewise, whose items are still to be written, oldest chunk first. */
  fanOutChunks: table({ pk: c.key, notificationPk: c.keyOf("notifications"), recipients: c.texts }),
};
