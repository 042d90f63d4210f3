import { columnName, type Kind, type TableSpec, type Typed } from "../schema/columns.ts";

/** How times differ between the dialects. */
export interface Times {
  /** A time in SQL as milliseconds since 1970, UTC. */
  milliseconds(time: string): string;
  /** A time as the driver takes it. */
  time(time: Date): number | string;
}

/** A table with a column for each field of a record, of the field's type: one that lacks a field does not compile. */
export type TableOf<Of> = Typed<{
  readonly [Key in keyof Of]-?: { readonly _: { readonly data: NonNullable<Of[Key]> } };
}>;

/** A column that holds a field. */
export interface Column {
  readonly name: string;
  readonly kind: Kind;
  /** The field's value as the driver takes it. */
  write(value: unknown): unknown;
}

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

/** The columns of no record: background work notes there what it has done. */
const KEPT_APART: readonly string[] = ["expiredAt"];

/**
 * Makes a record's fields from its table's columns, except those of `without`.
 *
 * @param without columns that are not the record's own. @default its key `pk`
 */
export function fieldsOf<Of extends object>(table: TableOf<Of>, times: Times, without: readonly string[] = ["pk"]): Fields<Of> {
  const all = columnsOf<Of>(table, times).filter(([key]) => !without.includes(key));
  const selected = (name: string, { kind }: Column) => (kind === "time" ? times.milliseconds(name) : name);
  return {
    all,
    names: all.map(([, { name }]) => name).join(", "),
    parameters: all.map((_, index) => `$${index + 1}`).join(", "),
    parameter: (key) => `$${all.findIndex(([one]) => one === key) + 1}`,
    values: (record) => all.map(([key, column]) => column.write(record[key])),
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

/** The names of a table's fields that may be null. */
export function nullableOf<Of>({ columns }: TableOf<Of>): readonly (keyof Of & string)[] {
  return recordColumns(columns).flatMap(([key, { isNullable }]) => (isNullable ? [key as keyof Of & string] : []));
}

function recordColumns(columns: TableSpec["columns"]): readonly (readonly [string, TableSpec["columns"][string]])[] {
  return Object.entries(columns).filter(([key]) => !KEPT_APART.includes(key));
}

function columnsOf<Of>({ columns }: TableSpec, times: Times): readonly (readonly [keyof Of & string, Column])[] {
  return recordColumns(columns).map(([key, spec]) => [
    key as keyof Of & string,
    { name: columnName(key, spec), kind: spec.kind, write: writing(spec.kind, times) },
  ]);
}

function writing(kind: Kind, { time }: Times): Column["write"] {
  if (kind === "time") {
    return (value) => (value instanceof Date ? time(value) : value);
  }
  return kind === "json" ? (value) => (value === null ? null : JSON.stringify(value)) : (value) => value;
}

function read(value: unknown, { kind }: Column): unknown {
  switch (kind) {
    case "time":
      return typeof value === "number" ? new Date(value) : null;
    case "json":
      // PostgreSQL's driver has parsed JSON already.
      return typeof value === "string" ? JSON.parse(value) : value;
    case "boolean":
      return typeof value === "number" ? value === 1 : value;
    default:
      return value;
  }
}

/** Whether two records have the same values in their `members`. Times are compared as times, other objects are the same only as one. */
export function haveSame<Of>(members: readonly (keyof Of)[], left: Partial<Of>, right: Partial<Of>): boolean {
  for (const member of members) {
    const one: unknown = left[member];
    const other: unknown = right[member];
    if (one !== other && !(one instanceof Date && other instanceof Date && one.getTime() === other.getTime())) {
      return false;
    }
  }
  return true;
}
