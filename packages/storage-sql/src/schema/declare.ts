import { type ColumnBuilder, type ColumnBuilderBase, isNotNull, type SQL, type SQLWrapper, sql, type Table } from "drizzle-orm";
import { type ColumnSpec, columnName, type IndexSpec, type Kind, snake, type TableSpec, tableName } from "./columns.ts";

/** Tables by their fields. */
export type TableSpecs = Readonly<Record<string, TableSpec>>;

/** Drizzle's types for the columns of each kind in a dialect. */
export type KindTypes = Readonly<Record<Kind, KindType>>;

/** Drizzle's types for one kind. `KeyHasDefault`: the database fills keys of this kind. */
export interface KindType<DataType = Types[0], Name = string, Data = unknown, Driver = unknown, Enum = Types[1], KeyHasDefault = boolean> {
  readonly dataType: DataType;
  readonly columnType: Name;
  readonly data: Data;
  readonly driverParam: Driver;
  readonly enumValues: Enum;
  readonly keyHasDefault: KeyHasDefault;
  readonly identity?: "always";
}

type Types = [data: "string" | "number" | "boolean" | "date" | "json" | "custom" | "array", values: [string, ...string[]] | undefined];

/** The name of a field in SQL. */
export type Snake<Field extends string> = Field extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${Snake<Rest>}`
  : "";

/** The name of a table in SQL. */
export type TableName<Field extends string> = `belfry_${Snake<Field>}`;

/** The columns of a table as drizzle's types know them, before it builds them. */
export type BuildersOf<Columns extends Readonly<Record<string, ColumnSpec>>, Kinds extends KindTypes> = {
  [Field in keyof Columns & string]: { _: ConfigOf<Field, Columns[Field], Kinds[Columns[Field]["kind"]]> };
};

interface ConfigOf<Field extends string, Spec extends ColumnSpec, Of extends KindType> {
  brand: "ColumnBuilder";
  name: Spec extends { readonly column: infer Name extends string } ? Name : Snake<Field>;
  dataType: Extract<Of["dataType"], Types[0]>;
  columnType: Extract<Of["columnType"], string>;
  data: unknown extends Spec["data"] ? Of["data"] : NonNullable<Spec["data"]>;
  driverParam: Of["driverParam"];
  notNull: Spec["isNullable"] extends true ? false : true;
  hasDefault: Spec["initial"] extends string | number ? true : [Spec["isKey"], Of["keyHasDefault"]] extends [true, true] ? true : false;
  isPrimaryKey: Spec["isKey"] extends true ? true : false;
  enumValues: Extract<Of["enumValues"], Types[1]>;
  identity: Of extends { readonly identity: "always" } ? "always" : undefined;
  generated: undefined;
}

/** How drizzle declares tables in a dialect: its own functions. */
export interface TableKit<Builder extends ColumnBuilderBase, Column extends SQLWrapper, Part> {
  /** Makes a nullable column of a kind. */
  readonly columns: Readonly<Record<Kind, (name: string) => Builder>>;
  table(name: string, columns: Record<string, Builder>, parts: (own: Readonly<Record<string, Column>>) => Part[]): Table;
  index(name: string): IndexOn<Column, Part>;
  uniqueIndex(name: string): IndexOn<Column, Part>;
  primaryKey(config: { name?: string; columns: [Column, ...Column[]] }): Part;
  foreignKey(config: { name?: string; columns: [Column]; foreignColumns: [Column] }): Part & { onDelete(action: "cascade"): Part };
  /** Whether the migrations name the tables' keys and references. */
  readonly hasNamedKeys: boolean;
}

interface IndexOn<Column, Part> {
  on(...columns: [Column, ...Column[]]): Part & { where(condition: SQL): Part };
}

/** Declares tables by their fields, each after those that it refers to. */
export function declareTables<Builder extends ColumnBuilderBase, Column extends SQLWrapper, Part>(
  specs: TableSpecs,
  kit: TableKit<Builder, Column, Part>,
): object {
  const tables: Record<string, Table> = {};
  for (const [field, spec] of Object.entries(specs)) {
    const name = tableName(field);
    const columns = Object.entries(spec.columns).map(([key, column]) => [
      key,
      builderOf(kit.columns[column.kind](columnName(key, column)), column),
    ]);
    const parts = (own: Readonly<Record<string, Column>>) => [
      ...keysOf(name, spec, { kit, own, tables }),
      ...indexesOf(name, spec, { kit, own }),
    ];
    tables[field] = kit.table(name, Object.fromEntries(columns), parts);
  }
  return tables;
}

function builderOf(builder: ColumnBuilderBase, { isNullable, initial, isKey }: ColumnSpec): ColumnBuilder {
  const empty = builder as ColumnBuilder;
  const filled = isNullable ? empty : empty.notNull();
  const begun = initial === undefined ? filled : filled.default(initial);
  return isKey ? begun.primaryKey() : begun;
}

interface Parts<Column extends SQLWrapper, Part> {
  readonly kit: Omit<TableKit<ColumnBuilderBase, Column, Part>, "columns" | "table">;
  readonly own: Readonly<Record<string, Column>>;
}

function keysOf<Column extends SQLWrapper, Part>(
  table: string,
  { columns, key }: TableSpec,
  { kit, own, tables }: Parts<Column, Part> & { readonly tables: Readonly<Record<string, Table>> },
): Part[] {
  const named = (suffix: string) => (kit.hasNamedKeys ? { name: `${table}_${suffix}` } : {});
  const keys = key === undefined ? [] : [kit.primaryKey({ ...named("pkey"), columns: columnsOf(key, own) })];
  const references = Object.entries(columns).flatMap(([field, { of }]) => {
    if (of === undefined) {
      return [];
    }
    const { pk } = tables[of.table] as Table & { readonly pk: Column };
    const reference = kit.foreignKey({ ...named(`${snake(field)}_fkey`), columns: [own[field] as Column], foreignColumns: [pk] });
    return of.goesWith ? reference.onDelete("cascade") : reference;
  });
  return [...keys, ...references];
}

function indexesOf<Column extends SQLWrapper, Part>(
  table: string,
  { unique = {}, indexes = {} }: TableSpec,
  { kit, own }: Parts<Column, Part>,
): Part[] {
  const made = (make: (name: string) => IndexOn<Column, Part>, [suffix, spec]: [string, IndexSpec<string>]) => {
    const index = make(`${table}_${suffix}`).on(...columnsOf("on" in spec ? spec.on : spec, own));
    if (!("on" in spec)) {
      return index;
    }
    return index.where("where" in spec ? sql.raw(spec.where) : isNotNull(own[spec.with] as Column));
  };
  return [
    ...Object.entries(unique).map((one) => made(kit.uniqueIndex, one)),
    ...Object.entries(indexes).map((one) => made(kit.index, one)),
  ];
}

function columnsOf<Column>(fields: readonly string[], own: Readonly<Record<string, Column>>): [Column, ...Column[]] {
  return fields.map((field) => own[field]) as [Column, ...Column[]];
}
