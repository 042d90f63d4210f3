import { type Column, getTableColumns, type Table } from "drizzle-orm";

/** A time in SQL as milliseconds since 1970, UTC. */
export type Milliseconds = (time: string) => string;

/** A table with a column for each field of a record, of the field's type: one that lacks a field does not compile. */
export type TableOf<Of> = Table & {
  readonly [Key in keyof Of]-?: { readonly _: { readonly data: NonNullable<Of[Key]> } };
};

/** A record's fields, as its table declares them; writes and reads follow from them. Their order never changes. */
export interface Fields<Of> {
  /** The columns, by their fields. */
  readonly all: readonly (readonly [key: keyof Of & string, column: Column])[];
  /** The columns' names, separated by commas. */
  readonly names: string;
  /** A parameter for each field, from $1 on. */
  readonly parameters: string;
  /** The parameter of one field. */
  parameter(key: keyof Of): `$${number}`;
  /** The values of {@link parameters}. */
  values(record: Of): readonly unknown[];
  /** The result of `of` for each field, in the order of {@link names}, separated by commas. */
  members(of: (key: keyof Of & string) => string): string;
  /** The assignments of an update: every column but those of `fixed`. */
  assignments(of: (key: keyof Of & string) => string, fixed: readonly (keyof Of)[]): string;
  /** The columns to select under the fields' names, times in milliseconds. @param table its name or alias, where it needs one */
  columns(table?: string): string;
  /** The record that a row with these columns stands for. */
  record(row: object): Of;
}

/**
 * Makes a record's fields from its table's columns, except those of `without`.
 *
 * @param without columns that are not the record's own. @default its key `pk`
 */
export function fieldsOf<Of extends object>(
  table: TableOf<Of>,
  { milliseconds }: { readonly milliseconds: Milliseconds },
  without: readonly string[] = ["pk"],
): Fields<Of> {
  const columns = Object.entries<Column>(getTableColumns<Table>(table));
  const all = columns.filter((entry): entry is [keyof Of & string, Column] => !without.includes(entry[0]));
  const selected = (name: string, column: Column) => (column.dataType === "date" ? milliseconds(name) : name);
  return {
    all,
    names: all.map(([, { name }]) => name).join(", "),
    parameters: all.map((_, index) => `$${index + 1}`).join(", "),
    parameter: (key) => `$${all.findIndex(([one]) => one === key) + 1}`,
    values: (record) => all.map(([key, column]) => written(record[key], column)),
    members: (of) => all.map(([key]) => of(key)).join(", "),
    assignments: (of, fixed) =>
      all
        .filter(([key]) => !fixed.includes(key))
        .map(([key, { name }]) => `${name} = ${of(key)}`)
        .join(", "),
    columns: (of) => {
      const prefix = of === undefined ? "" : `${of}.`;
      return all.map(([key, column]) => `${selected(`${prefix}${column.name}`, column)} AS "${key}"`).join(", ");
    },
    record(row) {
      const of: Partial<Record<string, unknown>> = {};
      for (const [key, column] of all) {
        of[key] = read((row as typeof of)[key], column);
      }
      return of as Of;
    },
  };
}

/** A value as the driver takes it for a column. */
export function written(value: unknown, column: Column): unknown {
  return value === null ? null : column.mapToDriverValue(value);
}

function read(value: unknown, column: Column): unknown {
  if (column.dataType === "date") {
    return typeof value === "number" ? new Date(value) : null;
  }
  // PostgreSQL's driver has parsed JSON already.
  return value === null || typeof value === "object" ? value : column.mapFromDriverValue(value);
}
