import { type BuildersOf, declareTables, type KindType, type KindTypes, POSTGRES_TABLES, type TableName } from "@belfry/storage-sql/schema";
import type { BuildColumns } from "drizzle-orm";
import {
  bigint,
  boolean,
  customType,
  foreignKey,
  index,
  integer,
  json,
  type PgColumn,
  type PgColumnBuilderBase,
  type PgTableExtraConfigValue,
  type PgTableWithColumns,
  pgSchema,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";

type Number<Name> = KindType<"number", Name, number, number | string, undefined, false>;
type Key = KindType<"number", "PgBigInt53", number, number | string, undefined, true> & { readonly identity: "always" };

interface Types extends KindTypes {
  readonly key: Key;
  readonly counter: Key;
  readonly text: KindType<"string", "PgText", string, string, [string, ...string[]], false>;
  readonly bytewise: KindType<"custom", "PgCustomColumn", string, unknown, undefined, false>;
  readonly uuid: KindType<"string", "PgUUID", string, string, undefined, false>;
  readonly integer: Number<"PgInteger">;
  readonly number: Number<"PgBigInt53">;
  readonly boolean: KindType<"boolean", "PgBoolean", boolean, boolean, undefined, false>;
  readonly time: KindType<"date", "PgTimestamp", Date, string, undefined, false>;
  readonly json: KindType<"json", "PgJson", unknown, unknown, undefined, false>;
  readonly texts: KindType<"array", "PgArray", string[], string | string[], undefined, false>;
}

// Not exported, so that the declarations for hosts spell it out.
type Tables = {
  readonly [Field in keyof typeof POSTGRES_TABLES]: PgTableWithColumns<{
    name: TableName<Field>;
    schema: string | undefined;
    columns: BuildColumns<TableName<Field>, BuildersOf<(typeof POSTGRES_TABLES)[Field]["columns"], Types>, "pg">;
    dialect: "pg";
  }>;
};

const bytewiseText = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' });
const number = (name: string) => bigint(name, { mode: "number" });

/** Declares the tables in one PostgreSQL schema. */
export function declareIn(name: string) {
  return declareTables<PgColumnBuilderBase, PgColumn, PgTableExtraConfigValue>(POSTGRES_TABLES, {
    columns: {
      key: (column) => number(column).generatedAlwaysAsIdentity(),
      counter: (column) => number(column).generatedAlwaysAsIdentity(),
      text: (column) => text(column),
      bytewise: (column) => bytewiseText(column),
      uuid,
      integer,
      number,
      boolean,
      time: (column) => timestamp(column, { precision: 3, withTimezone: true }),
      json,
      texts: (column) => text(column).array(),
    },
    // drizzle has its own way to say "public" and refuses the name.
    table: name === "public" ? pgTable : pgSchema(name).table,
    index,
    uniqueIndex,
    primaryKey,
    foreignKey: (config) => foreignKey(config),
    hasNamedKeys: true,
  }) as Tables;
}

/** The tables in the schema that PostgreSQL has from the start. */
export const tables = declareIn("public");
