import { BROADCASTS } from "./broadcasts.ts";
import { columns as c, table } from "./columns.ts";
import { DECISIONS } from "./decisions.ts";
import { DELIVERIES } from "./deliveries.ts";
import { DEVICES } from "./devices.ts";
import { DIGESTS } from "./digests.ts";
import { HUB } from "./hub.ts";
import { INBOX } from "./inbox.ts";
import { OPERATOR } from "./operator.ts";
import { SUPPRESSIONS } from "./suppressions.ts";
import { TOPICS } from "./topics.ts";

/** The tables that both storages have, by the names of their fields. */
export const TABLES = {
  ...INBOX,
  ...DELIVERIES,
  ...HUB,
  ...DECISIONS,
  ...DIGESTS,
  ...TOPICS,
  ...BROADCASTS,
  ...DEVICES,
  ...OPERATOR,
  ...SUPPRESSIONS,
  /**
   * The migrations that this database has: each one's number from 1, the SHA-256 of its SQL in hexadecimal, and how many
   * migrations a package must know to work after it.
   */
  migrations: table({ id: c.asKey(c.integer), checksum: c.text, appliedAt: c.time, oldestCompatible: c.initially(c.integer, 0) }),
};

/** The tables in PostgreSQL. */
export const POSTGRES_TABLES = {
  ...TABLES,
  identities: table(
    /** The digest is SHA-256 of `source_id`: three long texts would not fit into an index. */
    { ...TABLES.identities.columns, sourceDigest: c.bytewise },
    {
      unique: { id: ["tenant", "id"], source_id: ["tenant", "source", "sourceDigest"] },
      indexes: { tenant: ["tenant", "createdAt", "pk"], source: ["tenant", "source", "createdAt", "pk"] },
    },
  ),
  /** Who is connected to which instance. The row without tenant and user is the instance's lease, and its users' rows last as long. */
  presence: table(
    { tenant: c.bytewise, userId: c.bytewise, instance: c.bytewise, leaseUntil: c.time },
    { key: ["tenant", "userId", "instance"], indexes: { instance: ["instance"] } },
  ),
};
