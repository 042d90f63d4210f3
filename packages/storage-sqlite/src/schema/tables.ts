import { type BuildersOf, declareTables, type KindType, type KindTypes, TABLES, type TableName } from "@belfry/storage-sql/schema";
import type { BuildColumns } from "drizzle-orm";
import {
  foreignKey,
  index,
  integer,
  primaryKey,
  type SQLiteColumn,
  type SQLiteColumnBuilderBase,
  type SQLiteTableExtraConfigValue,
  type SQLiteTableWithColumns,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";

type Integer = KindType<"number", "SQLiteInteger", number, number, undefined, true>;
type Text = KindType<"string", "SQLiteText", string, string, [string, ...string[]], false>;
type Json<Data> = KindType<"json", "SQLiteTextJson", Data, string, undefined, false>;

interface Types extends KindTypes {
  readonly key: Integer;
  readonly counter: Integer;
  readonly text: Text;
  readonly bytewise: Text;
  readonly uuid: Text;
  readonly integer: Integer;
  readonly number: Integer;
  readonly boolean: KindType<"boolean", "SQLiteBoolean", boolean, number, undefined, false>;
  readonly time: KindType<"date", "SQLiteTimestamp", Date, number, undefined, false>;
  readonly json: Json<unknown>;
  readonly texts: Json<readonly string[]>;
}

// Not exported, so that the declarations for hosts spell it out.
type Tables = {
  readonly [Field in keyof typeof TABLES]: SQLiteTableWithColumns<{
    name: TableName<Field>;
    schema: undefined;
    columns: BuildColumns<TableName<Field>, BuildersOf<(typeof TABLES)[Field]["columns"], Types>, "sqlite">;
    dialect: "sqlite";
  }>;
};

/** Belfry's tables, as drizzle declares them for SQLite. Times are milliseconds since 1970, UTC. */
export const tables = declareTables<SQLiteColumnBuilderBase, SQLiteColumn, SQLiteTableExtraConfigValue>(TABLES, {
  columns: {
    key: (name) => integer(name),
    counter: (name) => integer(name).primaryKey({ autoIncrement: true }),
    text: (name) => text(name),
    bytewise: (name) => text(name),
    uuid: (name) => text(name),
    integer: (name) => integer(name),
    number: (name) => integer(name),
    boolean: (name) => integer(name, { mode: "boolean" }),
    time: (name) => integer(name, { mode: "timestamp_ms" }),
    json: (name) => text(name, { mode: "json" }),
    texts: (name) => text(name, { mode: "json" }),
  },
  table: sqliteTable,
  index,
  uniqueIndex,
  primaryKey,
  foreignKey: (config) => foreignKey(config),
  hasNamedKeys: false,
}) as Tables;
