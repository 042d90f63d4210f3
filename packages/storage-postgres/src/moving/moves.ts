import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import { quoteIdentifier } from "../database/table-names.ts";
import type { Place } from "./copy-rows.ts";

/**
 * How far a move is, as the database says that the tenant leaves.
 *
 * | state       | the tenant's data                                              | next                                            |
 * | ----------- | -------------------------------------------------------------- | ----------------------------------------------- |
 * | `draining`  | may be written; no work begins that would have to be waited for | nothing is under way: `frozen`                 |
 * | `frozen`    | may be read; it is copied and compared, and nobody writes the copy | the copy is equal: `switching`                  |
 * | `switching` | may be read; the host begins to send calls to the copy         | all calls go to the copy: `switched`            |
 * | `switched`  | is the other database's; the old copy is removed               | the row goes after the last of the copy         |
 *
 * From `draining` and `frozen` there is a way back, and from the others none.
 */
export type MoveState = (typeof STATES)[number];

const STATES = ["draining", "frozen", "switching", "switched"] as const;

/** Where the copy of a tenant is: at a row of a table of the list. */
export interface CopyPosition {
  readonly table: number;
  readonly after: Place;
  readonly rows: number;
}

const BEGINNING: CopyPosition = { table: 0, after: null, rows: 0 };

/** The rows about moves in a database. The table is made by the first move. */
export function movesIn(schema: string) {
  const table = `${quoteIdentifier(schema)}.belfry_moves`;
  const read = statement<[state: string, position: string | null]>("move_state", `SELECT state, position FROM ${table} WHERE tenant = $1`);
  const set = statement<[]>(
    "move_set_state",
    `INSERT INTO ${table} (tenant, state) VALUES ($1, $2) ON CONFLICT (tenant) DO UPDATE SET state = excluded.state, changed_at = now()`,
  );
  const advance = statement<[]>(
    "move_advance",
    `INSERT INTO ${table} (tenant, state, position) VALUES ($1, 'copying', $2)
    ON CONFLICT (tenant) DO UPDATE SET position = excluded.position, changed_at = now()`,
  );
  const remove = statement<[]>("move_remove", `DELETE FROM ${table} WHERE tenant = $1`);
  return {
    /** Makes the table. */
    make: `CREATE TABLE IF NOT EXISTS ${table} (
      tenant text COLLATE "C" PRIMARY KEY, state text NOT NULL, position text, changed_at timestamptz NOT NULL DEFAULT now())`,
    /** The state of the move by which the tenant leaves this database; null for none. */
    async stateOf(session: Session, tenant: string): Promise<MoveState | null> {
      const [row] = await session.rows(read, [tenant]);
      return STATES.find((state) => state === row?.[0]) ?? null;
    },
    async setState(session: Session, tenant: string, state: MoveState): Promise<void> {
      await session.rows(set, [tenant, state]);
    },
    /** Where the copy into this database is; null if none has begun. */
    async positionOf(session: Session, tenant: string): Promise<CopyPosition | null> {
      const [row] = await session.rows(read, [tenant]);
      return row?.[0] === "copying" ? (JSON.parse(row[1] ?? JSON.stringify(BEGINNING)) as CopyPosition) : null;
    },
    /** Notes where the copy into this database is. */
    async advance(session: Session, tenant: string, position: CopyPosition = BEGINNING): Promise<void> {
      await session.rows(advance, [tenant, JSON.stringify(position)]);
    },
    async remove(session: Session, tenant: string): Promise<void> {
      await session.rows(remove, [tenant]);
    },
  };
}
