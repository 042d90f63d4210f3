import { columns as c, table } from "./columns.ts";

/** The tables of topics. */
export const TOPICS = {
  /** Who gets what is created for a topic. */
  subscriptions: table(
    {
      tenant: c.bytewise,
      topic: c.bytewise,
      userId: c.bytewise,
      isDeep: c.boolean,
      /** A list in JSON; null for every channel. */
      channels: c.nullable(c.text),
      createdAt: c.time,
    },
    { key: ["tenant", "topic", "userId"], indexes: { user: ["tenant", "userId", "topic"] } },
  ),

  /** The audiences with topics of notifications, and how far the users of large ones were found. */
  audiences: table(
    {
      notificationPk: c.asKey(c.keyOf("notifications")),
      tenant: c.bytewise,
      /** A list in JSON. */
      topics: c.text,
      /** Where its users are found, in JSON; null once all were. */
      source: c.nullable(c.text),
      /** The last user who was found. */
      afterUser: c.nullable(c.bytewise),
      /** How many recipients come before the next one. */
      place: c.number,
      /** Names the last step. Whoever read the row before that step writes nothing. */
      mark: c.text,
      hasDeliveries: c.boolean,
    },
    { indexes: { open: { on: ["notificationPk"], with: "source" }, tenant: { on: ["tenant"], with: "source" } } },
  ),
};
