import type { Session } from "../database/connection.ts";
import { type Statement, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { insertOf, type MovedTable, rowsOf } from "./moved-tables.ts";

/** Where in a table a page ends: the values of the order of its last row, as texts. Null before the first row. */
export type Place = readonly string[] | null;

/** Rows of a tenant, and where they end. */
export interface RowsPage {
  /** JSON, null for no rows. */
  readonly rows: string | null;
  readonly count: number;
  readonly after: Place;
}

/** Reads the next rows of a tenant in a table. */
export function pageReader(moved: MovedTable, tables: TableNames) {
  const { columns, from, order } = rowsOf(moved, tables);
  const by = order.map(({ sql }) => sql).join(", ");
  const read = (after: string): Statement<[rows: string | null, count: number, after: string | null]> =>
    statement(
      `move_read_${moved.table}`,
      `SELECT json_agg(p.r)::text, count(*)::int, (array_agg(p.place))[count(*)] FROM (
        SELECT (SELECT row_to_json(c) FROM (SELECT ${columns}) c) AS r,
          json_build_array(${order.map(({ sql }) => `${sql}::text`).join(", ")})::text AS place
        FROM ${from} AND ${after} ORDER BY ${by} LIMIT $2) p`,
    );
  const first = read("true");
  const next = read(`(${by}) > (${order.map(({ type }, index) => `$${index + 3}::${type}`).join(", ")})`);
  return async (session: Session, { tenant, after, limit }: { tenant: string; after: Place; limit: number }): Promise<RowsPage> => {
    const [row] = after === null ? await session.rows(first, [tenant, limit]) : await session.rows(next, [tenant, limit, ...after]);
    const [rows, count, place] = row ?? [null, 0, null];
    return { rows, count, after: place === null ? after : (JSON.parse(place) as string[]) };
  };
}

/** Writes rows of {@link pageReader} into another database. Resolves with how many it wrote. */
export function pageWriter(moved: MovedTable, tables: TableNames) {
  const insert = statement<[]>(`move_write_${moved.table}`, `${insertOf(moved, tables)} RETURNING NULL`);
  return async (session: Session, { tenant, rows }: { readonly tenant: string; readonly rows: string }): Promise<number> =>
    (await session.rows(insert, [tenant, rows])).length;
}

/** How many rows a tenant has in a table, and a sum of what is in them, which is the same in every database. */
export interface Fingerprint {
  readonly count: number;
  readonly sum: string;
}

/** Takes the fingerprint of a tenant's rows in a table. */
export function fingerprintReader(moved: MovedTable, tables: TableNames) {
  const { columns, from } = rowsOf(moved, tables);
  const read = statement<[count: number, sum: string]>(
    `move_fingerprint_${moved.table}`,
    `SELECT count(*), coalesce(sum(hashtextextended(p.r, 0)), 0)::text FROM (
      SELECT (SELECT row_to_json(c)::text FROM (SELECT ${columns}) c) AS r FROM ${from}) p`,
  );
  return async (session: Session, tenant: string): Promise<Fingerprint> => {
    const [row] = await session.rows(read, [tenant]);
    const [count, sum] = row ?? [0, "0"];
    return { count, sum };
  };
}
