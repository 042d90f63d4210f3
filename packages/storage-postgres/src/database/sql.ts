import { type Asked, type Dialect, POSTGRES_TABLES, type Sql, typed } from "@belfry/storage-sql";
import type { tables } from "../schema/tables.ts";
import { type Bound, inStep, inTransaction, run } from "./bind.ts";
import type { Session } from "./connection.ts";
import { namesOfMoving } from "./moving-tenants.ts";
import { isoTime, milliseconds, plannedAnew, type Statement, statement } from "./statement.ts";

/** SQL as PostgreSQL speaks it. */
export const DIALECT: Dialect = {
  schema: typed<typeof tables>(POSTGRES_TABLES),
  join: "JOIN",
  sourceKey: { column: "source_digest", of: (text) => `encode(sha256(convert_to(${text}, 'UTF8')), 'hex')` },
  by: () => "",
  unindexed: (column) => column,
  forUpdate: (alias) => `FOR UPDATE OF ${alias}`,
  skipLocked: (alias) => `FOR UPDATE OF ${alias} SKIP LOCKED`,
  lock: (text) => `pg_advisory_xact_lock(hashtextextended(${text}, 0))`,
  milliseconds,
  time: isoTime,
  bytes: (column) => `octet_length(${column}::text)`,
  isIn: (column, list, type) => `${column} = ANY (ARRAY(SELECT value::${type} FROM json_array_elements_text(${list}) AS l(value)))`,
  cast: (parameter, type) => `${parameter}::${type}`,
  asJson: (text) => `${text}::json`,
  asTime: (text) => `${text}::timestamptz`,
  hasText: (list, text) => `${list}::jsonb ? ${text}`,
  json: { list: "json_build_array", listOfRows: "json_agg" },
  elements: (list) => `json_array_elements(${list}::json) AS e(value)`,
  bytewise: (text) => `${text} COLLATE "C"`,
  asTexts: (json) => `ARRAY(SELECT json_array_elements_text((${json})::json))`,
  texts: (list) => `json_array_elements_text(${list}::json) AS e(value)`,
  newEpoch: "left(replace(gen_random_uuid()::text, '-', ''), 12)",
  contains: (text, part) => `strpos(${text}, ${part}) > 0`,
};

/** Runs what both storages share. */
export function postgresSql(bound: Bound): Sql {
  const made = new Map<string, Statement<readonly unknown[]>>();
  const prepared = (name: string, text: string) => {
    const one = made.get(text) ?? statement<readonly unknown[]>(name, text);
    made.set(text, one);
    return one;
  };
  const all = () => (name: string, texts: readonly string[], values: readonly unknown[]) => async (session: Session) => {
    for (const text of texts) {
      await session.rows(prepared(name, text), stored(values));
    }
  };
  const each = () => (name: string, statements: readonly Asked[]) => async (session: Session) => {
    const found: (readonly object[])[] = [];
    for (const { text, values } of statements) {
      const rows = await session.rows(prepared(name, asJson(text)), stored(values));
      found.push(rows.map(([row]) => row as object));
    }
    return found;
  };
  const ask = run(
    () => (name: string | null, text: string, values: readonly unknown[]) => (session) =>
      session.rows(name === null ? plannedAnew<readonly unknown[]>(text) : prepared(name, text), stored(values)),
  )(bound);
  return {
    ...DIALECT,
    tables: bound.tables,
    isStaying: (column) => `${column} <> ALL (ARRAY(${namesOfMoving(bound.tables.deliveries)}))`,
    inTransaction: inTransaction(all)(bound),
    together: inTransaction(each)(bound),
    inStep: inStep(all)(bound),
    async rows<Row extends object>(name: string | null, text: string, values: readonly unknown[]) {
      return (await ask(name, asJson(text), values)).map(([row]) => row as Row);
    },
    async page<Row extends object>(name: string, { counted, rows, order }: Parameters<Sql["page"]>[1], values: readonly unknown[]) {
      const text = `SELECT c.total, to_json(r) FROM (SELECT count(*) AS total FROM ${counted}) c LEFT JOIN (${rows}) r ON true ORDER BY ${order}`;
      const found = (await ask(name, text, values)) as readonly (readonly [total: number, row: Row | null])[];
      return { items: found.flatMap(([, row]) => row ?? []), total: found[0]?.[0] ?? 0 };
    },
  };
}

/** A statement that returns each of its rows as one of JSON. */
function asJson(text: string): string {
  return `WITH x AS (${text}) SELECT to_json(x) FROM x`;
}

/** Values as parameters take them. */
export function stored(values: readonly unknown[]): readonly unknown[] {
  return values.map((value) => (value instanceof Date ? isoTime(value) : value));
}
