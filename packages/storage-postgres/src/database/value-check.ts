import { inspect } from "node:util";
import { BelfryError } from "@belfry/core";
import type { Session } from "./connection.ts";
import { statement } from "./statement.ts";

/** One value of each kind that Belfry's statements answer with, and what it has to be when it arrives. */
const KINDS: readonly (readonly [sql: string, expected: unknown])[] = [
  ["true", true],
  ["9007199254740991::bigint", 9007199254740991],
  ["2147483647::int", 2147483647],
  [`'{"a":["é"]}'::json`, { a: ["é"] }],
  [`'{"a": 1}'::jsonb`, '{"a": 1}'],
  // A parameter, because pg asks for the text format where it prepares nothing and sends no values.
  ["$1::text", "é"],
  ["ARRAY['a','b']", "{a,b}"],
  ["'01890000-0000-7000-8000-000000000000'::uuid", "01890000-0000-7000-8000-000000000000"],
  ["NULL::text", null],
];

const readKinds = statement("value_check", `SELECT ${KINDS.map(([sql]) => sql).join(", ")}`);

/**
 * Makes sure that values arrive as Belfry's statements expect them. Parsers that the host set do no harm, because each
 * statement brings its own; the binary format does, and a driver or wrapper that ignores what a query asks for.
 *
 * @throws BelfryError `CONFIGURATION` that names the first value which arrived as another
 */
export async function requireReadableValues(session: Session): Promise<void> {
  const [row] = await session.rows(readKinds, ["é"]);
  KINDS.forEach(([sql, expected], index) => {
    const value: unknown = Array.isArray(row) ? row[index] : undefined;
    if (inspect(value) !== inspect(expected)) {
      throw new BelfryError(
        "CONFIGURATION",
        `Belfry cannot read the values of this PostgreSQL connection: ${sql} arrived as ${inspect(value)}, not as ${inspect(expected)}. ` +
          "Leave `binary: true` out of the options of the pool or client (and out of pg.defaults): pg has no parser for most values " +
          "in the binary format. Without it, pass a Pool of pg's JavaScript driver that nothing wraps.",
      );
    }
  });
}
