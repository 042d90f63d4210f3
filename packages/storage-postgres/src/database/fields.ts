import { getTableColumns } from "drizzle-orm";
import type { PgColumn, PgTable } from "drizzle-orm/pg-core";
import { milliseconds } from "./statement.ts";

/** A table with a column for each field of a record, of the field's type: one that lacks a field does not compile. */
type TableOf<Of> = PgTable & {
  readonly [Key in keyof Of]-?: { readonly _: { readonly data: NonNullable<Of[Key]> } };
};

/** A record as its table declares it: what is written and read of it follows from that. The fields are always in one order. */
export interface Fields<Of> {
  /** How many there are. */
  readonly count: number;
  /** The columns' names, separated by commas. */
  readonly names: string;
  /** A parameter of its type for each field, from $1 on. */
  readonly parameters: string;
  /** A parameter for each field, from $1 on, which is a list: for `unnest`. */
  readonly lists: string;
  /** The parameter of one field. */
  parameter(key: keyof Of): `$${number}`;
  /** The values of {@link parameters}. */
  values(record: Of): readonly unknown[];
  /** The values of {@link lists}. */
  listsOf(records: readonly Of[]): readonly unknown[];
  /** The columns to select, of the table by this name or alias, times in milliseconds. */
  columns(table: string): string;
  /** The record that a row with these columns stands for, by their names. */
  record(row: object): Of;
}

/** The fields of a record, which are the columns of its table but its key. */
export function fieldsOf<Of extends object>(table: TableOf<Of>): Fields<Of> {
  const { pk: _, ...own } = getTableColumns<PgTable>(table);
  const columns: readonly (readonly [keyof Of, PgColumn])[] = Object.entries(own) as [string & keyof Of, PgColumn][];
  return {
    count: columns.length,
    names: columns.map(([, { name }]) => name).join(", "),
    parameters: columns.map(([, column], index) => `$${index + 1}::${typeOf(column)}`).join(", "),
    lists: columns.map(([, column], index) => `$${index + 1}::${typeOf(column)}[]`).join(", "),
    parameter: (key) => `$${columns.findIndex(([one]) => one === key) + 1}`,
    values: (record) => columns.map(([key, column]) => written(record[key], column)),
    listsOf: (records) => columns.map(([key, column]) => records.map((record) => written(record[key], column))),
    columns: (name) => columns.map(([, column]) => selected(`${name}.${column.name}`, column)).join(", "),
    record: (row) => Object.fromEntries(columns.map(([key, column]) => [key, read(row, column)])) as Of,
  };
}

/** A column's type, without what only a table says of it. */
function typeOf(column: PgColumn): string {
  return isTime(column) ? "timestamptz" : column.getSQLType().replace(/ COLLATE .*$/, "");
}

function isTime(column: PgColumn): boolean {
  return column.dataType === "date";
}

function written(value: unknown, column: PgColumn): unknown {
  return value === null ? null : column.mapToDriverValue(value);
}

function selected(name: string, column: PgColumn): string {
  return isTime(column) ? `${milliseconds(name)} AS ${column.name}` : name;
}

/** JSON comes parsed; of the rest, only times are not what they are to be. */
function read(row: object, column: PgColumn): unknown {
  const value = (row as Readonly<Record<string, unknown>>)[column.name];
  return isTime(column) && typeof value === "number" ? new Date(value) : value;
}
