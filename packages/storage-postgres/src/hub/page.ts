import type { HubPage } from "@belfry/core";
import { type Statement, statement } from "../database/statement.ts";

/** How many match, and one row of the page, null where the page is empty. */
export type PageRow<Row> = readonly [total: number, row: Row | null];

/**
 * A page and how many match, both of one moment: one statement.
 *
 * @param counted what is counted, as SQL: tables and their condition
 * @param rows the page, as a SELECT
 * @param order the order of the page by its columns
 */
export function pageStatement<Row>(
  operation: string,
  { counted, rows, order }: { readonly counted: string; readonly rows: string; readonly order: string },
): Statement<PageRow<Row>> {
  return statement(
    operation,
    `SELECT c.total, to_json(r) FROM (SELECT count(*) AS total FROM ${counted}) c LEFT JOIN (${rows}) r ON true ORDER BY ${order}`,
  );
}

/** The page that rows stand for. */
export function toPage<Row, Item>(rows: readonly PageRow<Row>[], toItem: (row: Row) => Item): HubPage<Item> {
  return { items: rows.flatMap(([, row]) => (row === null ? [] : [toItem(row)])), total: rows[0]?.[0] ?? 0 };
}
