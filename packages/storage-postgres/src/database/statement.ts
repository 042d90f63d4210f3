import { createHash } from "node:crypto";
import type { QueryArrayConfig } from "pg";

/** A statement that each connection parses once. Its rows come as lists, which cost less than objects. */
export interface Statement<Row extends readonly unknown[]> {
  /** Without one, it is parsed and planned each time. */
  readonly name?: string;
  readonly text: string;
  /** Never set; ties the type of the rows to the statement. */
  readonly row?: Row;
}

/** How a statement is run. */
export interface RunOptions {
  /** Whether connections keep the statement prepared. */
  readonly prepared: boolean;
  /** How long a connection may leave a statement unanswered. */
  readonly timeoutMs: number;
}

/** Makes a statement out of SQL text. `operation` only tells people what it is for. */
export function statement<Row extends readonly unknown[]>(operation: string, text: string): Statement<Row> {
  // Hashes the text, because storages with different schemas and versions may share a pool.
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return { name: `belfry_${operation}_${hash}`, text };
}

/**
 * Makes a statement that is planned anew each time, by the size that the tables have then. It costs a millisecond, and is for what looks up
 * a row for each of very many others: a plan that is kept from when the tables were small would read a whole table for each.
 */
export function plannedAnew<Row extends readonly unknown[]>(text: string): Statement<Row> {
  return { text };
}

/** The query object with which pg runs `run` with `values`. */
export function queryConfig<Row extends readonly unknown[]>(
  run: Statement<Row>,
  values: readonly unknown[],
  { prepared, timeoutMs }: RunOptions,
): QueryArrayConfig<unknown[]> & { readonly query_timeout: number } {
  return {
    ...(prepared && run.name !== undefined ? { name: run.name } : {}),
    text: run.text,
    values: values.map((value) => (Array.isArray(value) ? listText(value) : value)),
    rowMode: "array",
    types: ROW_TYPES,
    query_timeout: timeoutMs,
  };
}

type Parse = (text: string) => unknown;

/** The types our statements answer with, by their object ids in PostgreSQL; every other stays text. */
const PARSERS = new Map<number, Parse>([
  [16, (text) => text === "t"],
  // bigint: numbers of items and times in milliseconds, which stay below 2^53.
  [20, Number],
  [23, Number],
  [114, JSON.parse],
]);

const keepText: Parse = (text) => text;

/** Our own parsers: a host may have changed how its pg reads bigint, JSON or times. */
const ROW_TYPES = { getTypeParser: (oid: number) => PARSERS.get(oid) ?? keepText };

let lastMs = Number.NaN;
let lastIso = "";

/** A time as parameters take it. It is made once for what is written in the same millisecond, since a text of it costs much. */
export function isoTime(time: Date): string {
  const ms = time.getTime();
  if (ms !== lastMs) {
    lastIso = time.toISOString();
    lastMs = ms;
  }
  return lastIso;
}

/** What JSON escapes in another way than lists of PostgreSQL's, which have a backslash before a quote and a backslash alone. */
const OTHER_ESCAPES = /\\[^"\\]/;

/**
 * A list as PostgreSQL reads it: of texts, numbers and nulls. JSON in braces is one, and costs little, unless a text has a character
 * that JSON escapes in its own way. The driver makes the same at several times the cost.
 */
export function listText(values: readonly unknown[]): string {
  const json = JSON.stringify(values);
  if (!OTHER_ESCAPES.test(json)) {
    return `{${json.slice(1, -1)}}`;
  }
  return `{${values.map((value) => (typeof value === "string" ? quoted(value) : String(value ?? null))).join(",")}}`;
}

function quoted(text: string): string {
  return text.includes('"') || text.includes("\\") ? `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : `"${text}"`;
}

/** Whose clock decides what is due. */
export type TimeSource = "database" | "service";

/** The time that statements take for now: the service's, or null for the database's own. */
export type StorageTime = (at: Date) => string | null;

/** The time of statements, as the option `time` says. */
export function storageTime(source: TimeSource): StorageTime {
  return source === "service" ? (at) => at.toISOString() : () => null;
}

/** A list of each member of records, as `unnest` takes them. */
export function lists<Of>(records: readonly Of[], ...members: readonly (keyof Of)[]): readonly (readonly unknown[])[] {
  return members.map((member) => records.map((record) => record[member]));
}

/** Calls `make` when a value is first asked for, and keeps what it made. */
export function memoized<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) {
      return known;
    }
    const value = make(key);
    made.set(key, value);
    return value;
  };
}

/**
 * A page's scan has one of these as a literal LIMIT, beside the exact one as a parameter. In a plan that it keeps for all
 * parameters, PostgreSQL takes an unknown LIMIT for a tenth of the table and may sort a whole inbox; a plan for each set
 * of parameters costs as much as the page itself.
 */
const SCAN_LIMITS = [32, 128, 1_024] as const;

/** The LIMIT of the scan behind a page of `limit` items. */
export type ScanLimit = (typeof SCAN_LIMITS)[number] | "ALL";

/** The smallest scan that holds a page of `limit` items. */
export function scanLimit(limit: number): ScanLimit {
  return SCAN_LIMITS.find((scan) => limit <= scan) ?? "ALL";
}

/** A row that came as one JSON object: its members are the columns, times in milliseconds. */
export type JsonRow<Row> = readonly [row: Row];

/** Milliseconds since 1970 of a time, as SQL. A double holds those of the years up to 9999, and costs half as much as the decimal of `extract`. */
export function milliseconds(time: string): string {
  return `(date_part('epoch', ${time}) * 1000)::bigint`;
}

/** The time that parameter `parameter` names, else the database's own, in whole milliseconds, as SQL. */
export function timeOf(parameter: `$${number}`): string {
  return `coalesce(${parameter}::timestamptz, date_trunc('milliseconds', clock_timestamp()))`;
}
