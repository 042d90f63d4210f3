import type { Database, RunResult } from "better-sqlite3";

/** The tools with which an operation prepares its statements. */
export interface QueryContext {
  /** A statement whose rows are objects. */
  prepare<Values extends object = object, Row = never>(text: string): Statement<Values, Row>;
  /** A statement whose rows are lists of their columns. */
  prepareRows<Values extends object, Row extends readonly unknown[]>(text: string): Statement<Values, Row>;
}

/** The context of operations on `database`. */
export function queryContext(database: Database): QueryContext {
  return {
    prepare: (text) => prepareStatement(database, text, "objects"),
    prepareRows: (text) => prepareStatement(database, text, "lists"),
  };
}

/** Takes the first of `rows` until they are `bytes` long together. Does not read the rows after that. */
export function takeBytes<Row>(
  rows: Iterable<Row>,
  { bytes, of }: { readonly bytes: number; readonly of: (row: Row) => number },
): readonly Row[] {
  const taken: Row[] = [];
  let size = 0;
  for (const row of rows) {
    taken.push(row);
    size += of(row);
    if (size >= bytes) {
      break;
    }
  }
  return taken;
}

/** A statement that is prepared once and run with named values. Rows come as the driver gives them. */
export interface Statement<Values, Row> {
  run(values: Values): RunResult;
  get(values: Values): Row | undefined;
  all(values: Values): Row[];
  /** The rows one by one: if you stop early, the others stay unread. The connection runs nothing else meanwhile. */
  iterate(values: Values): IterableIterator<Row>;
}

/**
 * Prepares SQL with the driver itself, because drizzle's row mapping costs more than a small query in SQLite. In the text,
 * `:name` stands for a value by name and `$1` for one by place: SQLite's own named parameters cost more.
 */
function prepareStatement<Values extends object, Row>(database: Database, text: string, rows: "objects" | "lists"): Statement<Values, Row> {
  const keys: string[] = [];
  const sql = text.replaceAll(/(?<![\w:]):([a-z]\w*)|\$(\d+)/gi, (_, name: string | undefined, place: string) => {
    keys.push(name ?? String(Number(place) - 1));
    return "?";
  });
  const bind = (values: Values): unknown[] => {
    const bound: unknown[] = [];
    for (const key of keys) {
      bound.push(stored((values as Readonly<Record<string, unknown>>)[key]));
    }
    return bound;
  };
  const statement = database.prepare<unknown[], Row>(sql);
  const { reader } = statement;
  if (reader) {
    // A host may have switched its connection to BigInt; our numbers stay below 2^53.
    statement.safeIntegers(false).raw(rows === "lists");
  }
  return {
    run: (values) => statement.run(...bind(values)),
    get: (values) => statement.get(...bind(values)),
    all: (values) => (reader ? statement.all(...bind(values)) : statement.run(...bind(values)) && []),
    iterate: (values) => statement.iterate(...bind(values)),
  };
}

/** A value as SQLite keeps it: a time in milliseconds, a boolean as 0 or 1, JSON as text. */
function stored(value: unknown): unknown {
  if (typeof value === "boolean") {
    return Number(value);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  return value instanceof Date ? value.getTime() : JSON.stringify(value);
}
