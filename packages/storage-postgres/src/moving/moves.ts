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
 * | `abandoned` | may be written, as before; what was copied is removed          | the row goes after the last of the copy         |
 *
 * From `draining` and `frozen` a way leads back, to `abandoned`, and from the others none.
 */
export type MoveState = (typeof STATES)[number];

const STATES = ["draining", "frozen", "switching", "switched", "abandoned"] as const;

/** The states from which a way leads back. */
export const BEFORE_SWITCH: readonly MoveState[] = ["draining", "frozen", "abandoned"];

/**
 * What a database says about a tenant that comes: `copying` before the switch, `arrived` from then on, when the copy is the tenant's data, and
 * `removing` while a copy is removed that nobody goes on with.
 */
export type ArrivalState = (typeof ARRIVALS)[number];

const ARRIVALS = ["copying", "arrived", "removing"] as const;

/** Where the copy of a tenant is: at a row of a table of the list. */
export interface CopyPosition {
  readonly table: number;
  readonly after: Place;
  readonly rows: number;
}

const BEGINNING: CopyPosition = { table: 0, after: null, rows: 0 };

/** A change of what a database says about a move. */
interface StateChange {
  readonly before: readonly (MoveState | ArrivalState)[];
  readonly state: MoveState | ArrivalState;
}

/** The rows about moves in a database. The table is made by the first move. */
export function movesIn(schema: string) {
  const table = `${quoteIdentifier(schema)}.belfry_moves`;
  const read = statement<[state: string, position: string | null]>("move_state", `SELECT state, position FROM ${table} WHERE tenant = $1`);
  const begin = statement<[]>(
    "move_begin",
    `INSERT INTO ${table} AS m (tenant, state) VALUES ($1, 'draining') ON CONFLICT (tenant) DO UPDATE SET state = excluded.state, changed_at = now()
    WHERE m.state = ANY ($2::text[]) RETURNING NULL`,
  );
  const change = statement<[]>(
    "move_change",
    `UPDATE ${table} SET state = $2, changed_at = now() WHERE tenant = $1 AND state = ANY ($3::text[]) RETURNING NULL`,
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
    /** Begins a move, or again. Returns false if the tenant is further, or comes to this database itself. */
    async begin(session: Session, tenant: string): Promise<boolean> {
      return (await session.rows(begin, [tenant, BEFORE_SWITCH])).length === 1;
    },
    /** Changes a state to the next one. Returns false if the move is in none of the states before it: another process has changed it. */
    async change(session: Session, tenant: string, { before, state }: StateChange): Promise<boolean> {
      return (await session.rows(change, [tenant, state, before])).length === 1;
    },
    /** What this database says about the tenant that comes; null for none. */
    async arrivalOf(session: Session, tenant: string): Promise<ArrivalState | null> {
      const [row] = await session.rows(read, [tenant]);
      return ARRIVALS.find((state) => state === row?.[0]) ?? null;
    },
    /** Where the copy into this database is; null if none has begun. */
    async positionOf(session: Session, tenant: string): Promise<CopyPosition | null> {
      const [row] = await session.rows(read, [tenant]);
      const isComing = ARRIVALS.some((state) => state === row?.[0]);
      return isComing ? (JSON.parse(row?.[1] ?? JSON.stringify(BEGINNING)) as CopyPosition) : null;
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
