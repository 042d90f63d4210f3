import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Which migrations this database has. */
export const migrations = sqliteTable("belfry_migrations", {
  /** The migration's number, counted from 1. */
  id: integer("id").primaryKey(),
  /** SHA-256 of the migration's SQL, in hexadecimal. */
  checksum: text("checksum").notNull(),
  appliedAt: integer("applied_at", { mode: "timestamp_ms" }).notNull(),
  /** Packages that know fewer migrations than this cannot work after it. */
  oldestCompatible: integer("oldest_compatible").notNull().default(0),
});
