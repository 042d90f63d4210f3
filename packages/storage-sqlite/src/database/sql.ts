import { type Dialect, TABLES as SPECS, type Sql, type Tables, tableName, typed } from "@belfry/storage-sql";
import type { tables } from "../schema/tables.ts";
import type { Current } from "./bind.ts";
import type { Connection } from "./connection.ts";
import type { QueryContext } from "./statement.ts";

/** SQL as SQLite speaks it. */
export const DIALECT: Dialect = {
  schema: typed<typeof tables>(SPECS),
  // SQLite keeps the order of a CROSS JOIN.
  join: "CROSS JOIN",
  sourceKey: { column: "source_id", of: (text) => text },
  by: (index) => `INDEXED BY ${index}`,
  unindexed: (column) => `+${column}`,
  // A transaction that writes is alone.
  forUpdate: () => "",
  skipLocked: () => "",
  lock: () => "NULL",
  milliseconds: (time) => time,
  time: (time) => time.getTime(),
  bytes: (column) => `octet_length(${column})`,
  isIn: (column, list) => `${column} IN (SELECT value FROM json_each(${list}))`,
  cast: (parameter) => parameter,
  asJson: (text) => text,
  asTime: (text) => text,
  hasText: (list, text) => `EXISTS (SELECT 1 FROM json_each(${list}) c WHERE c.value = ${text})`,
  json: { list: "json_array", listOfRows: "json_group_array" },
  elements: (list) => `json_each(${list}) AS e`,
  bytewise: (text) => text,
  asTexts: (json) => json,
  texts: (list) => `json_each(${list}) AS e`,
  newEpoch: "lower(hex(randomblob(6)))",
  contains: (text, part) => `instr(${text}, ${part}) > 0`,
};

/** The tables as SQL names them. */
export const TABLES = Object.fromEntries(Object.keys(SPECS).map((key) => [key, tableName(key)])) as unknown as Tables;

const preparing = new Map<string, ReturnType<typeof prepareText>>();

function prepareText(text: string) {
  return ({ prepare }: QueryContext) => prepare<readonly unknown[], object>(text);
}

/** Runs a statement on a connection, which keeps it prepared, and reads its rows. */
export function ask<Row extends object>(connection: Connection, text: string, values: readonly unknown[]): readonly Row[] {
  const prepare = preparing.get(text) ?? prepareText(text);
  preparing.set(text, prepare);
  return connection.prepared(prepare).all(values) as Row[];
}

/** Runs the statements that both storages share. */
export function sqliteSql(current: Current): Sql {
  return {
    ...DIALECT,
    tables: TABLES,
    // No tenant leaves its file.
    isStaying: () => "true",
    async rows<Row extends object>(_: string | null, text: string, values: readonly unknown[]) {
      const { connection } = current();
      return connection.query(() => ask<Row>(connection, text, values));
    },
    async inTransaction(_, texts, values) {
      const { connection } = current();
      await connection.write(() => texts.map((text) => ask(connection, text, values)));
    },
    async together(_, statements) {
      const { connection } = current();
      return connection.write(() => statements.map(({ text, values }) => ask(connection, text, values)));
    },
    async inStep(_, texts, values) {
      const { connection } = current();
      await connection.step(() => texts.map((text) => ask(connection, text, values)));
    },
    async page<Row extends object>(_: string, { counted, rows }: Parameters<Sql["page"]>[1], values: readonly unknown[]) {
      const { connection } = current();
      return connection.read(() => {
        const [count] = ask<{ readonly total: number }>(connection, `SELECT count(*) AS total FROM ${counted}`, values);
        return { items: ask<Row>(connection, rows, values), total: count?.total ?? 0 };
      });
    },
  };
}
