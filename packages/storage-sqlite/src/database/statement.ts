import type { Database, Statement as DriverStatement, RunResult } from "better-sqlite3";

/** The tools with which an operation prepares its statements. */
export interface QueryContext {
  /** A statement whose rows are objects. */
  prepare<Values extends object = object, Row = never>(text: string): Statement<Values, Row>;
  /** A statement whose rows are lists of their columns. */
  prepareRows<Values extends object, Row extends readonly unknown[]>(text: string): Statement<Values, Row>;
  /** A statement as the driver has it: with values by their place, for what every create runs. Rows are lists of their columns. */
  prepareBare<Values extends readonly unknown[], Row extends readonly unknown[] = never>(text: string): DriverStatement<[...Values], Row>;
}

/** The context of operations on `database`. */
export function queryContext(database: Database): QueryContext {
  return {
    prepare: (text) => prepareStatement(database, text, "objects"),
    prepareRows: (text) => prepareStatement(database, text, "lists"),
    prepareBare: (text) => plain(database.prepare(plannedOnce(text)), "lists"),
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

/** The keys of the rows that get the same values. */
export interface OfSet {
  readonly keys: readonly (number | string)[];
}

/** A statement that is prepared once and run with named values. Rows come as the driver gives them. */
export interface Statement<Values, Row> {
  run(values: Values): RunResult;
  /**
   * Runs the statement for records by sets: once for all that give it the same values, with their keys as `:keys`. Leaves out
   * records without a key. Returns the rows of all sets.
   *
   * @param shared values that no record has
   */
  runSets<Record extends Partial<Values>>(
    records: readonly Record[],
    keyOf: (record: Record) => number | string | undefined,
    shared?: Partial<Values>,
  ): readonly Row[];
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
  const bind = (values: Partial<Values>, shared: Partial<Values> = {}): unknown[] => {
    const bound: unknown[] = [];
    for (const key of keys) {
      const value = (values as Readonly<Record<string, unknown>>)[key];
      bound.push(stored(value === undefined ? (shared as Readonly<Record<string, unknown>>)[key] : value));
    }
    return bound;
  };
  const place = keys.indexOf("keys");
  const statement = plain(database.prepare<unknown[], Row>(plannedOnce(sql)), rows);
  const { reader } = statement;
  return {
    run: (values) => statement.run(...bind(values)),
    runSets(records, keyOf, shared) {
      const rows: Row[] = [];
      for (const set of setsOf(records, keyOf, (record) => bind(record, shared))) {
        const values = set.values.with(place, JSON.stringify(set.keys));
        if (reader) {
          rows.push(...statement.all(...values));
        } else {
          statement.run(...values);
        }
      }
      return rows;
    },
    get: (values) => statement.get(...bind(values)),
    all: (values) => (reader ? statement.all(...bind(values)) : statement.run(...bind(values)) && []),
    iterate: (values) => statement.iterate(...bind(values)),
  };
}

/**
 * The statement with limits at whose values SQLite does not look. If it may look at one, it plans the statement anew whenever it gets
 * values, the same ones too: of a list of 20 that took a quarter of the time.
 */
function plannedOnce(sql: string): string {
  return sql.replaceAll(/\bLIMIT \?/gi, "LIMIT +?");
}

/** Values of a statement, and the keys of the records that give it these. */
export interface ValueSet<Key, Values extends readonly unknown[]> {
  readonly values: Values;
  readonly keys: Key[];
}

/** The keys of records by the values that they give a statement, as SQLite keeps them. Leaves out records without a key. */
export function setsOf<Record, Key, Values extends readonly unknown[]>(
  records: readonly Record[],
  keyOf: (record: Record, index: number) => Key | undefined,
  valuesOf: (record: Record) => Values,
): Iterable<ValueSet<Key, Values>> {
  const sets = new Map<string, ValueSet<Key, Values>>();
  let last: ValueSet<Key, Values> | undefined;
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index] as Record;
    const key = keyOf(record, index);
    if (key === undefined) {
      continue;
    }
    const values = valuesOf(record);
    // Usually they are those of the record before: a comparison costs less than a text.
    if (last === undefined || !areSame(values, last.values)) {
      const text = JSON.stringify(values);
      last = sets.get(text) ?? { values, keys: [] };
      sets.set(text, last);
    }
    last.keys.push(key);
  }
  return sets.values();
}

function areSame(some: readonly unknown[], others: readonly unknown[]): boolean {
  for (let index = 0; index < some.length; index += 1) {
    if (some[index] !== others[index]) {
      return false;
    }
  }
  return true;
}

/** A host may have switched its connection to BigInt; our numbers stay below 2^53. */
function plain<Values extends unknown[], Row>(statement: DriverStatement<Values, Row>, rows: "objects" | "lists") {
  return statement.reader ? statement.safeIntegers(false).raw(rows === "lists") : statement;
}

/** A value as SQLite keeps it: a time in milliseconds, a boolean as 0 or 1, JSON as text. */
export function stored(value: unknown): unknown {
  if (typeof value === "boolean") {
    return Number(value);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  return value instanceof Date ? value.getTime() : JSON.stringify(value);
}
