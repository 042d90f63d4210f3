import { getTableName } from "drizzle-orm";
import { tablesIn } from "../schema.ts";

/** Belfry's tables as SQL names them: with their schema, quoted. */
export type TableNames = Readonly<Record<keyof ReturnType<typeof tablesIn>, string>>;

/** The names of the tables in the PostgreSQL schema `schema`. */
export function tableNames(schema: string): TableNames {
  const nameOf = (table: Parameters<typeof getTableName>[0]) => `${quoteIdentifier(schema)}.${quoteIdentifier(getTableName(table))}`;
  return Object.fromEntries(Object.entries(tablesIn(schema)).map(([key, table]) => [key, nameOf(table)])) as TableNames;
}

/** A name of any characters as SQL takes it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
