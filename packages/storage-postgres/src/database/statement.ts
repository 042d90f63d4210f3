import { createHash } from "node:crypto";
import type { QueryArrayConfig } from "pg";

/** A statement that each connection parses once. Its rows come as lists, which cost less than objects. */
export interface Statement<Row extends readonly unknown[]> {
  readonly name: string;
  readonly text: string;
  /** Never there; ties the type of the rows to the statement. */
  readonly row?: Row;
}

/** How a statement is run. */
export interface RunOptions {
  /** Whether connections keep the statement prepared. */
  readonly prepared: boolean;
  /** After how long without an answer the connection is given up. */
  readonly timeoutMs: number;
}

/** Makes a statement out of SQL text. `operation` only tells people what it is for. */
export function statement<Row extends readonly unknown[]>(operation: string, text: string): Statement<Row> {
  // Of the text, because several storages, with schemas and versions of their own, may share a pool.
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return { name: `belfry_${operation}_${hash}`, text };
}

/** What pg needs to run `run` with `values`. */
export function queryConfig<Row extends readonly unknown[]>(
  run: Statement<Row>,
  values: readonly unknown[],
  { prepared, timeoutMs }: RunOptions,
): QueryArrayConfig<unknown[]> & { readonly query_timeout: number } {
  return {
    ...(prepared ? { name: run.name } : {}),
    text: run.text,
    values: [...values],
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

/** Ours alone: a host may have changed how its pg reads bigint, JSON or times. */
const ROW_TYPES = { getTypeParser: (oid: number) => PARSERS.get(oid) ?? keepText };
