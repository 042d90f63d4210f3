/** The rows of the inbox named by the values `tenant` and `userId`, in its items, its counters or its read marks. */
export const OWN = "tenant = :tenant AND user_id = :userId";

/** The item named by the values `tenant`, `userId` and `seq`. */
export const OWN_ITEM = `${OWN} AND seq = :seq`;

/**
 * The items `i` of the inbox named by the values `tenant` and `userId`. The `+` changes nothing of a value. But if the host's
 * database was analyzed, SQLite would plan a statement anew for each plain value that it can look up in its statistics.
 */
export const OWN_ITEMS = "i.tenant = +:tenant AND i.user_id = +:userId";

/** Whether a read mark covers the item `i`: one up to the number `readUpToSeq`, made by the change `readRev`. */
function isCovered(readUpToSeq: string, readRev: string): string {
  return `i.seq <= ${readUpToSeq} AND (i.unread_rev IS NULL OR i.unread_rev <= ${readRev})`;
}

const IS_COVERED = isCovered(":readUpToSeq", ":readRev");

/** The item `i` is read, in an inbox whose newest read mark is that of the values `readUpToSeq` and `readRev`. */
export const IS_READ = `(i.read_at IS NOT NULL OR ${IS_COVERED})`;

/** The item `i` is unread, in an inbox with nothing unread up to `unreadAfterSeq`. */
export const IS_UNREAD = `(i.seq > +:unreadAfterSeq AND i.read_at IS NULL AND NOT (${IS_COVERED}))`;

/** The item `i` is read, beside the counters `c` of its inbox. */
export const IS_READ_BESIDE_COUNTERS = `(i.read_at IS NOT NULL OR ${isCovered("c.read_up_to_seq", "c.read_rev")})`;

/** The item `i` is seen, beside the counters `c` of its inbox. */
export const IS_SEEN_BESIDE_COUNTERS = `(${IS_READ_BESIDE_COUNTERS} OR coalesce(i.seen_mark > 0, false)
  OR coalesce(i.seq <= c.seen_up_to_seq AND -coalesce(i.seen_mark, 0) <= c.seen_rev, false))`;

/** Joins the counters `c` of the inbox of the item `i`. */
export const JOIN_COUNTERS = "CROSS JOIN belfry_inbox_counters c ON c.tenant = i.tenant AND c.user_id = i.user_id";
