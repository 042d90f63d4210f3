import { and, eq, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import { inboxCounters, inboxItems } from "../schema.ts";

const tenant = sql.placeholder("tenant");
const userId = sql.placeholder("userId");

/** The counters of the inbox named by the values `tenant` and `userId`. */
export const OWN_COUNTERS = and(eq(inboxCounters.tenant, tenant), eq(inboxCounters.userId, userId));

/** The number of one more change of an inbox. */
export const NEXT_REV = sql`${inboxCounters.rev} + 1`;

/** The items of the inbox named by the values `tenant` and `userId`. */
export const OWN_ITEMS = and(eq(inboxItems.tenant, tenant), eq(inboxItems.userId, userId));

/** The item named by the values `tenant`, `userId` and `seq`. */
export const OWN_ITEM = and(OWN_ITEMS, eq(inboxItems.seq, sql.placeholder("seq")));

/** Whether a read mark covers an item: one up to `readUpToSeq`, made by the change `readRev`. */
function isCovered({ readUpToSeq, readRev }: { readonly readUpToSeq: SQLWrapper; readonly readRev: SQLWrapper }): SQL {
  return sql`${inboxItems.seq} <= ${readUpToSeq} and (${inboxItems.unreadRev} is null or ${inboxItems.unreadRev} <= ${readRev})`;
}

const NEWEST_MARK = { readUpToSeq: sql`${sql.placeholder("readUpToSeq")}`, readRev: sql`${sql.placeholder("readRev")}` };

/** An item that is read, in an inbox whose newest read mark is that of the values `readUpToSeq` and `readRev`. */
export const IS_READ = sql`(${inboxItems.readAt} is not null or ${isCovered(NEWEST_MARK)})`;

/** The opposite, in an inbox that has nothing unread up to the value `unreadAfterSeq`. */
export const IS_UNREAD = sql`(${inboxItems.seq} > ${joinValue("unreadAfterSeq")} and ${inboxItems.readAt} is null and not (${isCovered(NEWEST_MARK)}))`;

/** An item that is read, beside the counters of its inbox. */
export const IS_READ_BESIDE_COUNTERS = sql`(${inboxItems.readAt} is not null or ${isCovered(inboxCounters)})`;

/**
 * A value to compare a column with, in a statement over several tables. SQLite looks at a bare value while it plans
 * a join, and so plans the statement anew each time it runs: three times the cost of a look-up by key.
 */
export function joinValue(name: string): SQL {
  return sql`(select ${sql.placeholder(name)})`;
}
