/** A row that came as one JSON object: its members are the columns, times in milliseconds. */
export type JsonRow<Row> = readonly [row: Row];

/** Milliseconds since 1970 of a time, as SQL. */
export function milliseconds(time: string): string {
  return `(extract(epoch FROM ${time}) * 1000)::bigint`;
}

/** The time that parameter `parameter` names, else the database's own, in whole milliseconds, as SQL. */
export function timeOf(parameter: `$${number}`): string {
  return `coalesce(${parameter}::timestamptz, date_trunc('milliseconds', clock_timestamp()))`;
}
