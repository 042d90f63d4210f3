import { type Column, type Fields as SharedFields, fieldsOf as sharedFieldsOf, type TableOf } from "@belfry/storage-sql";
import { isoTime, milliseconds } from "./statement.ts";

/** The types of the columns, without their collations. */
const TYPES: Readonly<Record<Column["kind"], string>> = {
  key: "bigint",
  counter: "bigint",
  text: "text",
  bytewise: "text",
  uuid: "uuid",
  integer: "integer",
  number: "bigint",
  boolean: "boolean",
  time: "timestamptz",
  json: "json",
  texts: "text[]",
};

/** A record as its table declares it, with values for `unnest`. */
export interface Fields<Of> extends SharedFields<Of> {
  /** A parameter of its type for each field, from $1 on. */
  readonly typed: string;
  /** A parameter for each field, from $1 on, which is a list: for `unnest`. */
  readonly lists: string;
  /** One of {@link lists}. */
  list(key: keyof Of): string;
  /** The values of {@link lists}. */
  listsOf(records: readonly Of[]): readonly (readonly unknown[])[];
}

/** Makes a record's fields from its table's columns, except those of `without`: by default its key. */
export function fieldsOf<Of extends object>(table: TableOf<Of>, without?: readonly string[]): Fields<Of> {
  const shared = sharedFieldsOf<Of>(table, { milliseconds, time: isoTime }, without);
  const types = shared.all.map(([, column], index) => `$${index + 1}::${TYPES[column.kind]}`);
  return {
    ...shared,
    typed: types.join(", "),
    lists: types.map((type) => `${type}[]`).join(", "),
    listsOf: (records) => shared.all.map(([key, column]) => records.map((record) => column.write(record[key]))),
    list: (key) => `${types[shared.all.findIndex(([one]) => one === key)]}[]`,
  };
}

/** The fields of records as JSON: the columns of `json_to_recordset`, by the fields' names. */
export function recordset<Of>({ all }: SharedFields<Of>): string {
  return all.map(([key, column]) => `"${key}" ${TYPES[column.kind]}`).join(", ");
}
