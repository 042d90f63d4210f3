const SOURCE = "storage wait ";

/** The source of the decision to have a delivery wait for the database, for so many times in a row by now. Whatever else becomes of it ends the row. */
export function sourceOfWait(times: number): string {
  return `${SOURCE}${times}`;
}

/** How often a delivery has waited for the database in a row, by the source of the last decision on it. */
export function waitsInRow(source: string | null): number {
  return source?.startsWith(SOURCE) ? Number(source.slice(SOURCE.length)) : 0;
}
