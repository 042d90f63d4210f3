import { readdir } from "node:fs/promises";
import type { Row } from "./row.ts";

const DIRECTORY = new URL("../rows/", import.meta.url);

/** Loads every row: each file of `rows/` exports one as `row`, and bears its id. */
export async function loadRows(): Promise<readonly Row[]> {
  const files = (await readdir(DIRECTORY)).filter((file) => file.endsWith(".ts"));
  const rows: Row[] = [];
  for (const file of files.toSorted()) {
    const { row } = (await import(new URL(file, DIRECTORY).href)) as { readonly row?: Row };
    if (row === undefined || !file.startsWith(`${row.id}-`)) {
      throw new Error(`bench/src/rows/${file} has to export a row as "row", and its name has to begin with the row's id.`);
    }
    rows.push(row);
  }
  return rows;
}

/** The rows of the ids, in the table's order. @throws Error for an id that no row has */
export function pickRows(rows: readonly Row[], ids: readonly string[]): readonly Row[] {
  const unknown = ids.filter((id) => !rows.some((row) => row.id === id));
  if (unknown.length > 0) {
    throw new Error(
      `There is no row ${unknown.map((id) => JSON.stringify(id)).join(", ")}. There are ${rows.map(({ id }) => id).join(", ")}.`,
    );
  }
  return ids.length === 0 ? rows : rows.filter(({ id }) => ids.includes(id));
}
