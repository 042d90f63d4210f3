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
};
