import { and, eq, sql } from "drizzle-orm";
import { inboxCounters, inboxItems } from "../schema.ts";

const tenant = sql.placeholder("tenant");
const userId = sql.placeholder("userId");

/** The counters of the inbox named by the values `tenant` and `userId`. */
export const OWN_COUNTERS = and(eq(inboxCounters.tenant, tenant), eq(inboxCounters.userId, userId));

/** The items of the inbox named by the values `tenant` and `userId`. */
export const OWN_ITEMS = and(eq(inboxItems.tenant, tenant), eq(inboxItems.userId, userId));

/** The item named by the values `tenant`, `userId` and `seq`. */
export const OWN_ITEM = and(OWN_ITEMS, eq(inboxItems.seq, sql.placeholder("seq")));

/** The newest read mark of the inbox named by the values `tenant` and `userId`; evaluated once a statement. */
export const OWN_READ_UP_TO_SEQ = sql`(select ${inboxCounters.readUpToSeq} from ${inboxCounters} where ${OWN_COUNTERS})`;
