import { columns as c, table } from "./columns.ts";

/** The tables of broadcasts. */
export const BROADCASTS = {
  /**
   * The number of each tenant's newest broadcast. The row's lock gives numbers out in commit order, so that who sees a number sees all
   * broadcasts up to it. A number may be that of no broadcast.
   */
  broadcastNumbers: table({ tenant: c.asKey(c.bytewise), newest: c.number }),

  /** What is told of broadcasts that ended, as long as somebody has them in an inbox, or they have a status. */
  endedBroadcasts: table({
    notificationPk: c.asKey(c.keyOf("notifications")),
    at: c.time,
    endedAt: c.time,
    isStanding: c.boolean,
    exceptCount: c.integer,
  }),

  /**
   * Users who were deleted while broadcasts of before could still reach them: a keyed hash of the id, by a random key that the tenant's rows share.
   * A row goes with the last such broadcast.
   */
  deletedUsers: table({ tenant: c.bytewise, hash: c.bytewise, key: c.text, at: c.time }, { key: ["tenant", "hash"] }),

  /** Notifications for everyone: one row each. Their items are placed inbox by inbox. One that has ended has no row. */
  broadcasts: table(
    {
      pk: c.key,
      tenant: c.bytewise,
      notificationPk: c.keyOf("notifications"),
      /** Null while it is scheduled, and for one that goes to no inbox. */
      number: c.nullable(c.number),
      /** When it gets its number; null once it has one. */
      dueAt: c.nullable(c.time),
      /** When it went out, or will: the date of its items. */
      at: c.time,
      /** Whether inboxes that begin later get it, too. */
      isStanding: c.boolean,
      /** The users who do not get it, in JSON; null for none. */
      exceptUsers: c.nullable(c.text),
      /** While the host's users are still paged for its other channels: the cursor of the next page, empty for the first. */
      pageCursor: c.nullable(c.text),
    },
    {
      unique: { number: ["tenant", "number"], notification: ["notificationPk"] },
      indexes: {
        standing: { on: ["tenant", "number"], where: "is_standing" },
        due: { on: ["dueAt"], with: "dueAt" },
        paged: { on: ["pk"], with: "pageCursor" },
      },
    },
  ),
};
