import { sql } from "drizzle-orm";

/** A random epoch of the same form as core's `newEpoch`, made by SQLite: anew for every row it is written to. */
export const NEW_EPOCH = sql<string>`lower(hex(randomblob(6)))`;
