import { integer, text } from "drizzle-orm/pg-core";
import { type TableMaker, time } from "./columns.ts";

/** Which migrations this database has. */
export const migrationsTable = (table: TableMaker) =>
  table("belfry_migrations", {
    /** The migration's number, counted from 1. */
    id: integer("id").primaryKey(),
    /** SHA-256 of the migration's SQL, in hexadecimal. */
    checksum: text("checksum").notNull(),
    appliedAt: time("applied_at").notNull(),
    /** Packages that know fewer migrations than this cannot work after it. */
    oldestCompatible: integer("oldest_compatible").notNull().default(0),
  });
