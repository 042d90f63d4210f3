import { type AnyPgColumn, bigint, customType, foreignKey, type PgTableFn, timestamp } from "drizzle-orm/pg-core";

/** Makes tables in one PostgreSQL schema. */
export type TableMaker = PgTableFn<string | undefined>;

/** A time in milliseconds. */
export const time = (name: string) => timestamp(name, { precision: 3, withTimezone: true });

/** A whole number that may be larger than an `integer`. */
export const number = (name: string) => bigint(name, { mode: "number" });

/** A table's own key, for joins. */
export const key = (name: string) => number(name).primaryKey().generatedAlwaysAsIdentity();

/** Text that is compared byte by byte, whatever collation the database has: ids of tenants and users. */
export const bytewiseText = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' });

/** A reference to a row with which this one goes; named as in the migrations. */
export const goesWith = (name: string, column: AnyPgColumn, owner: AnyPgColumn) =>
  foreignKey({ name, columns: [column], foreignColumns: [owner] }).onDelete("cascade");
