import { POSTGRES_TABLES, tableName } from "@belfry/storage-sql";

/** Belfry's tables as SQL names them: with their schema, quoted. */
export type TableNames = Readonly<Record<keyof typeof POSTGRES_TABLES, string>>;

/** The names of the tables in the PostgreSQL schema `schema`. */
export function tableNames(schema: string): TableNames {
  const nameOf = (field: string) => `${quoteIdentifier(schema)}.${quoteIdentifier(tableName(field))}`;
  return Object.fromEntries(Object.keys(POSTGRES_TABLES).map((key) => [key, nameOf(key)])) as TableNames;
}

/** A name of any characters as SQL takes it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
