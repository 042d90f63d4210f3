import { integer, type PgTableFn, text, timestamp } from "drizzle-orm/pg-core";

/** Which migrations this database has. */
export function migrationsTable(table: PgTableFn<string | undefined>) {
  return table("belfry_migrations", {
    /** The migration's number, counted from 1. */
    id: integer("id").primaryKey(),
    /** SHA-256 of the migration's SQL, in hexadecimal. */
    checksum: text("checksum").notNull(),
    appliedAt: timestamp("applied_at", { precision: 3, withTimezone: true }).notNull(),
    /** Packages that know fewer migrations than this cannot work after it. */
    oldestCompatible: integer("oldest_compatible").notNull().default(0),
  });
}
