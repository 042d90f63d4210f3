import { BelfryError } from "@belfry/core";
import type { Connection } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { quoteIdentifier } from "../database/table-names.ts";
import { fingerprintReader, pageReader, pageWriter } from "./copy-rows.ts";
import { asMover } from "./freeze.ts";
import { MOVED_TABLES, type MovedTable } from "./moved-tables.ts";
import type { CopyPosition, movesIn } from "./moves.ts";

/** The least, the first and the most rows of a page. */
const LIMITS = { least: 1, first: 100, most: 2_000 };
/** A page is to be about as long, in characters of JSON. */
const PAGE_LENGTH = 2_000_000;

/** What a copy uses. */
export interface CopyParts {
  readonly from: Connection;
  readonly to: Connection;
  readonly tenant: string;
  readonly schema: string;
  readonly tables: TableNames;
  readonly moves: ReturnType<typeof movesIn>;
}

/** Copies a tenant that nobody writes, page by page. A page and its place are one transaction of the new database, so that a copy goes on where it was. */
export class CopyOfTenant {
  readonly #parts: CopyParts;

  constructor(parts: CopyParts) {
    this.#parts = parts;
  }

  /** Makes sure that the tenant can be copied, and begins where no copy has begun. */
  async begin(): Promise<void> {
    const { to, tenant, moves } = this.#parts;
    await this.#requireSameTables();
    if ((await moves.arrivalOf(to, tenant)) !== null) {
      return;
    }
    if (await this.isThere(to)) {
      throw new BelfryError("CONFIGURATION", `The database that the tenant "${tenant}" is to move to has data of such a tenant already.`);
    }
    await moves.advance(to, tenant);
  }

  /** Whether a database has anything of the tenant. */
  async isThere(where: Connection): Promise<boolean> {
    const { tenant, tables } = this.#parts;
    const found = MOVED_TABLES.filter(({ path }) => path === "own").map(({ table }) => `SELECT FROM ${tables[table]} WHERE tenant = $1`);
    const isThere = statement<[boolean]>("move_is_there", `SELECT ${found.map((one) => `EXISTS (${one})`).join(" OR ")}`);
    const [[isOccupied] = [true]] = await where.rows(isThere, [tenant]);
    return isOccupied;
  }

  /** Copies what is left. Resolves with the number of rows, those of an interrupted copy included. */
  async run(): Promise<number> {
    const { to, tenant, moves } = this.#parts;
    let position = await moves.positionOf(to, tenant);
    while (position !== null && position.table < MOVED_TABLES.length) {
      position = await this.#copyTable(position, MOVED_TABLES[position.table] as MovedTable);
    }
    if (position !== null) {
      // This one waits for the disk, and for the pages before it.
      await moves.advance(to, tenant, position);
    }
    return position?.rows ?? 0;
  }

  /** How many rows the copy has. */
  async rows(): Promise<number> {
    const { to, tenant, moves } = this.#parts;
    return (await moves.positionOf(to, tenant))?.rows ?? 0;
  }

  /** Compares both copies. @throws BelfryError `STORAGE_FAILED` that names the first table in which they differ */
  async compare(): Promise<void> {
    const { from, to, tenant, tables } = this.#parts;
    for (const moved of MOVED_TABLES) {
      const read = fingerprintReader(moved, tables);
      const [there, here] = await Promise.all([read(from, tenant), read(to, tenant)]);
      if (there.count !== here.count || there.sum !== here.sum) {
        const counts = `${there.count} rows, the copy ${here.count}`;
        throw new BelfryError("STORAGE_FAILED", `The copy of ${moved.table} of the tenant "${tenant}" is not equal: ${counts}.`);
      }
    }
  }

  async #copyTable(begun: CopyPosition, moved: MovedTable): Promise<CopyPosition> {
    const { from, to, tenant, tables, moves } = this.#parts;
    const [read, write] = [pageReader(moved, tables), pageWriter(moved, tables)];
    let limit = LIMITS.first;
    for (let position = begun; ; ) {
      const { rows, count, after } = await read(from, { tenant, after: position.after, limit });
      const isLast = count < limit;
      const place = isLast ? { table: position.table + 1, after: null } : { table: position.table, after };
      const next = { ...place, rows: position.rows + count };
      if (rows !== null) {
        await to.step(async (session) => {
          await asMover(session, tenant);
          const written = await write(session, { tenant, rows });
          if (written !== count) {
            throw new BelfryError("STORAGE_FAILED", `Of ${count} rows of ${moved.table}, ${written} were written.`);
          }
          await moves.advance(session, tenant, next);
        });
      }
      if (isLast) {
        return next;
      }
      position = next;
      limit = nextLimit(limit, rows?.length ?? 0);
    }
  }

  async #requireSameTables(): Promise<void> {
    const { from, to, schema } = this.#parts;
    const read = statement<[migrations: string | null]>(
      "move_migrations",
      `SELECT string_agg(id || ' ' || checksum, ',' ORDER BY id) FROM ${quoteIdentifier(schema)}.belfry_migrations`,
    );
    const [[there], [here]] = await Promise.all([from.rows(read, []), to.rows(read, [])]);
    if (there?.[0] !== here?.[0]) {
      throw new BelfryError(
        "CONFIGURATION",
        "The two databases have other migrations: start this version of Belfry on both, or call migrate() for both, and wait until background steps have ended.",
      );
    }
  }
}

/** Rows are long or short, table by table: the next page is to have about as many characters as a page should. */
function nextLimit(limit: number, length: number): number {
  const fitting = Math.floor((limit * PAGE_LENGTH) / Math.max(length, 1));
  return Math.min(LIMITS.most, Math.max(LIMITS.least, Math.min(fitting, limit * 4)));
}
