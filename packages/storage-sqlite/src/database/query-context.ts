import type { Database } from "better-sqlite3";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { prepareStatement, type Statement, type StatementSource } from "./statement.ts";

/** What an operation prepares its statements with. */
export interface QueryContext {
  /** Builds queries; they are prepared with `prepare`, never run through it. */
  readonly builder: ReturnType<typeof drizzle>;
  /** A statement whose rows are objects. */
  prepare<Values extends object = object, Row = never>(source: StatementSource): Statement<Values, Row>;
  /** A statement whose rows are lists of their columns. */
  prepareRows<Values extends object, Row extends readonly unknown[]>(source: StatementSource): Statement<Values, Row>;
}

/** The context of operations on `database`. */
export function queryContext(database: Database): QueryContext {
  return {
    builder: drizzle(database),
    prepare: (source) => prepareStatement(database, source, "objects"),
    prepareRows: (source) => prepareStatement(database, source, "lists"),
  };
}
