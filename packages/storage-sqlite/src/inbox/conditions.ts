import { and, eq, type SQL, sql } from "drizzle-orm";
import { inboxCounters, inboxItems } from "../schema.ts";

const tenant = sql.placeholder("tenant");
const userId = sql.placeholder("userId");

/** The counters of the inbox named by the values `tenant` and `userId`. */
export const OWN_COUNTERS = and(eq(inboxCounters.tenant, tenant), eq(inboxCounters.userId, userId));

/** The items of the inbox named by the values `tenant` and `userId`. */
export const OWN_ITEMS = and(eq(inboxItems.tenant, tenant), eq(inboxItems.userId, userId));

/** The item named by the values `tenant`, `userId` and `seq`. */
export const OWN_ITEM = and(OWN_ITEMS, eq(inboxItems.seq, sql.placeholder("seq")));

/** An item that is read, in an inbox whose newest read mark is the value `readUpToSeq`. */
export const IS_READ = sql`(${inboxItems.readAt} is not null or ${inboxItems.seq} <= ${sql.placeholder("readUpToSeq")})`;

/**
 * A value to compare a column with, in a statement over several tables. SQLite looks at a bare value while it plans
 * a join, and so plans the statement anew each time it runs: three times the cost of a look-up by key.
 */
export function joinValue(name: string): SQL {
  return sql`(select ${sql.placeholder(name)})`;
}
