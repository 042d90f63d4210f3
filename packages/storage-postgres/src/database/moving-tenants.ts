import type { DueRequest } from "@belfry/core/storage";
import pg from "pg";
import type { Session } from "./connection.ts";
import { statement } from "./statement.ts";
import type { TableNames } from "./table-names.ts";

/** How the names of the triggers begin that keep a tenant's rows as they are while it moves: see `moving/freeze.ts`. */
export const MOVING_TRIGGERS = "belfry_moving_";

/** For how long it is known which tenants move, in milliseconds. */
const KNOWN_MS = 1_000;

/** Selects the tenants that move, by the triggers of the table of deliveries. */
export function namesOfMoving(deliveries: string): string {
  // The first argument of a trigger is the tenant; arguments end in a zero byte.
  return `SELECT DISTINCT convert_from(substring(tgargs FROM 1 FOR position('\\x00'::bytea IN tgargs) - 1), getdatabaseencoding()) FROM pg_trigger
      WHERE tgrelid = ${pg.escapeLiteral(deliveries)}::regclass AND starts_with(tgname, '${MOVING_TRIGGERS}')`;
}

/**
 * Leaves the tenants that move out of claims. The database passes over their due rows, but only after a claim has chosen them: the oldest rows may all be
 * theirs, and others would wait behind them until the move is over. It is looked up only where a claim has found nothing, and then again and again until
 * nobody moves any more.
 */
export class MovingTenants {
  #names: readonly string[] = [];
  #readAtMs = Number.NEGATIVE_INFINITY;

  /** Chooses rows with `choose`, and chooses again if it `mayBeFull` of rows of tenants that move. */
  async leaveOut<Request extends DueRequest, Row>(
    { session, tables }: { readonly session: Session; readonly tables: TableNames },
    request: Request,
    { choose, mayBeFull }: { choose(request: Request): Promise<readonly Row[]>; mayBeFull(rows: readonly Row[]): boolean },
  ): Promise<readonly Row[]> {
    if (this.#names.length > 0) {
      await this.#read(session, tables);
    }
    const known = this.#names;
    const without = (names: readonly string[]) =>
      choose(names.length === 0 ? request : { ...request, exceptTenants: [...request.exceptTenants, ...names] });
    const rows = await without(known);
    if (!mayBeFull(rows)) {
      return rows;
    }
    await this.#read(session, tables);
    return this.#names.every((name) => known.includes(name)) ? rows : await without(this.#names);
  }

  async #read(session: Session, { deliveries }: TableNames): Promise<void> {
    if (performance.now() - this.#readAtMs < KNOWN_MS) {
      return;
    }
    const find = statement<[tenant: string]>("moving_tenants", namesOfMoving(deliveries));
    this.#names = (await session.rows(find, [])).map(([tenant]) => tenant);
    this.#readAtMs = performance.now();
  }
}
