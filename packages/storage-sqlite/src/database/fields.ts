import { getTableColumns, type Placeholder, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";

/** A table with a column for each field of a record, of the field's type: one that lacks a field does not compile. */
type TableOf<Of> = SQLiteTable & {
  readonly [Key in keyof Of]-?: { readonly _: { readonly data: NonNullable<Of[Key]> } };
};

/** A record as its table declares it: what is written and read of it follows from that. */
export interface Fields<Of> {
  /** The columns by field, for an insert with the record's fields as its values. */
  readonly placeholders: { readonly [Key in keyof Of]: Placeholder };
  /** The columns to select, of the table by this name or alias. */
  columns(table: string): SQL;
  /** The record that a row with these columns stands for. */
  record(row: object): Of;
}

/** The fields of a record, which are the columns of its table but its key. */
export function fieldsOf<Of extends object>(table: TableOf<Of>): Fields<Of> {
  const { pk: _, ...own } = getTableColumns<SQLiteTable>(table);
  const columns: readonly (readonly [string, SQLiteColumn])[] = Object.entries(own);
  return {
    placeholders: Object.fromEntries(columns.map(([key]) => [key, sql.placeholder(key)])) as { [Key in keyof Of]: Placeholder },
    columns: (name) => sql.raw(columns.map(([, column]) => `${name}.${column.name}`).join(", ")),
    record: (row) => Object.fromEntries(columns.map(([key, column]) => [key, columnOf(row, column)])) as Of,
  };
}

function columnOf(row: object, column: SQLiteColumn): unknown {
  const value: unknown = (row as Readonly<Record<string, unknown>>)[column.name];
  return value === null ? null : column.mapFromDriverValue(value);
}
