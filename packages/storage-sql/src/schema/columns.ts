/** The kinds of columns. Each dialect has its own type for each. */
export type Kind =
  /** The table's own key, for joins. */
  | "key"
  /** A key that is never given out twice. */
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

type Owner = "notifications" | "deliveries" | "prompts" | "fanOuts";

/** A column of a table; its name is that of its field, in snake case, unless it has another. */
export interface ColumnSpec<K extends Kind = Kind, Data = unknown, IsNullable = boolean, Initial = Value | undefined, IsKey = boolean> {
  readonly kind: K;
  /** Never set; gives the type of the values if the kind does not. */
  readonly data?: Data;
  readonly isNullable: IsNullable;
  /** The value of the column in rows older than it. */
  readonly initial: Initial;
  /** Whether it alone is the table's key. */
  readonly isKey: IsKey;
  /** Its name, where that is not its field's. */
  readonly column?: string;
  /** The table whose key it holds, and whether a delete there deletes this row. */
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

/** The columns to declare tables with. None may be null unless it says so. */
export const columns = {
  key: asKey(column("key")),
  counter: asKey(column("counter")),
  text: column("text"),
  /** One of a few texts. */
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
  named: <Spec extends ColumnSpec, Name extends string>(spec: Spec, name: Name): Spec & { readonly column: Name } => ({
    ...spec,
    column: name,
  }),
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

/** An index on columns of a table: over all rows, rows that meet a condition, or rows where a column is not null. */
export type IndexSpec<Field> =
  | readonly Field[]
  | { readonly on: readonly Field[]; readonly where: string }
  | { readonly on: readonly Field[]; readonly with: Field };

/** A table. Its field gives its name, which its indexes' names begin with. */
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

/** A table's columns, with the types that drizzle has for them. */
export interface Typed<Columns> extends TableSpec {
  /** Never set. */
  readonly types?: Columns;
}

/** Gives tables the types that drizzle has for their columns. It needs nothing of drizzle at run time, which takes long to load. */
export function typed<Tables>(specs: Readonly<Record<keyof Tables, TableSpec>>): {
  readonly [Field in keyof Tables]: Typed<Tables[Field]>;
} {
  return specs;
}

/** The name of a table in SQL. */
export function tableName(field: string): string {
  return `belfry_${snake(field)}`;
}

/** The name of a column in SQL, given its field. */
export function columnName(field: string, { column }: Pick<ColumnSpec, "column">): string {
  return column ?? snake(field);
}

/** A field's name in snake case. */
export function snake(field: string): string {
  return field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
