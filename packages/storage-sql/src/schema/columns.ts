/** What columns may be: each dialect has a type of its own for each. */
export type Kind =
  /** The table's own key, for joins. */
  | "key"
  /** Such a key that is never given a second time. */
  | "counter"
  | "text"
  /** Text that is compared byte by byte, whatever collation the database has: ids of tenants and users. */
  | "bytewise"
  | "uuid"
  | "integer"
  /** A whole number that may be larger than an `integer`. */
  | "number"
  | "boolean"
  /** A time in milliseconds. */
  | "time"
  | "json"
  /** A list of texts. */
  | "texts";

type Owner = "notifications" | "deliveries" | "prompts";

/** A column of a table; its name is that of its field, in snake case. */
export interface ColumnSpec<K extends Kind = Kind, Data = unknown, IsNullable = boolean, Initial = Value | undefined, IsKey = boolean> {
  readonly kind: K;
  /** Never there; the type of its values, where the kind alone does not say it. */
  readonly data?: Data;
  readonly isNullable: IsNullable;
  /** The value that rows have which were there before it. */
  readonly initial: Initial;
  /** Whether it alone is the table's key. */
  readonly isKey: IsKey;
  /** The table whose key it has, and whether the row is deleted with that one's. */
  readonly of?: { readonly table: Owner; readonly goesWith: boolean };
}

type Value = string | number;
type Plain<K extends Kind, Data> = ColumnSpec<K, Data, false, undefined, false>;
type Key<K extends Kind, Data> = ColumnSpec<K, Data, false, undefined, true>;

function column<K extends Kind, Data = unknown>(kind: K): Plain<K, Data> {
  return { kind, isNullable: false, initial: undefined, isKey: false };
}

function asKey<K extends Kind, Data>(spec: Plain<K, Data>): Key<K, Data> {
  return { ...spec, isKey: true };
}

/** The columns that tables are declared with. None may be null, unless it says so. */
export const columns = {
  key: asKey(column("key")),
  counter: asKey(column("counter")),
  text: column("text"),
  /** Text of a few words. */
  textOf: <Data extends string>() => column<"text", Data>("text"),
  bytewise: column("bytewise"),
  bytewiseOf: <Data extends string>() => column<"bytewise", Data>("bytewise"),
  uuid: column("uuid"),
  integer: column("integer"),
  number: column("number"),
  boolean: column("boolean"),
  time: column("time"),
  jsonOf: <Data extends object>() => column<"json", Data>("json"),
  texts: column("texts"),
  /** The key of a row of another table. */
  keyOf: (table: Owner, goesWith = true) => ({ ...column("number"), of: { table, goesWith } }),
  asKey,
  nullable: <K extends Kind, Data>(spec: Plain<K, Data>): ColumnSpec<K, Data, true, undefined, false> => ({ ...spec, isNullable: true }),
  initially: <K extends Kind, Data>(spec: Plain<K, Data>, initial: Value): ColumnSpec<K, Data, false, Value, false> => ({
    ...spec,
    initial,
  }),
};

/** When a task is due, and who holds it. */
export const LEASE = {
  dueAt: columns.nullable(columns.time),
  leaseOwner: columns.nullable(columns.text),
  leaseUntil: columns.nullable(columns.time),
  fence: columns.integer,
};

/** An index over some of a table's columns: of all rows, of those that meet a condition, or of those that have a column. */
export type IndexSpec<Field> =
  | readonly Field[]
  | { readonly on: readonly Field[]; readonly where: string }
  | { readonly on: readonly Field[]; readonly with: Field };

/** A table; its name, and those of its indexes after it, come from its field. */
export interface TableSpec<Columns = Readonly<Record<string, ColumnSpec>>> extends Indexes<string> {
  readonly columns: Columns;
}

interface Indexes<Field> {
  /** The columns of its key, where there are several. */
  readonly key?: readonly Field[];
  readonly unique?: Readonly<Record<string, IndexSpec<Field>>>;
  readonly indexes?: Readonly<Record<string, IndexSpec<Field>>>;
}

/** Declares a table. */
export function table<Columns extends Readonly<Record<string, ColumnSpec>>>(
  columns: Columns,
  indexes: Indexes<keyof Columns & string> = {},
): TableSpec<Columns> {
  return { columns, ...indexes };
}
