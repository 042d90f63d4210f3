import { POSTGRES_TABLES } from "@belfry/storage-sql";
import type { Connection, Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { asMover } from "./freeze.ts";
import { MOVED_TABLES } from "./moved-tables.ts";

/** How many rows a step removes, with what belongs to them. */
const AT_ONCE = 500;

/** The tables that are looked at all the time for what is due: their rows go first, so that nobody finds work that is not theirs any more. */
const LOOKED_AT: readonly (keyof TableNames)[] = [
  "deliveries",
  "digests",
  "processingRecords",
  "inboxCounters",
  "broadcasts",
  "itemUpdates",
];

/** Removes a copy of a tenant's data, in small steps. What refers to a row goes with it. */
export class RemovalOfTenant {
  readonly #connection: Connection;
  readonly #tenant: string;
  readonly #tables: TableNames;

  constructor(connection: Connection, { tenant, tables }: { readonly tenant: string; readonly tables: TableNames }) {
    this.#connection = connection;
    this.#tenant = tenant;
    this.#tables = tables;
  }

  async run(): Promise<void> {
    const own = MOVED_TABLES.map(({ table }) => table).filter((table) => "tenant" in POSTGRES_TABLES[table].columns);
    const others = own.filter((table) => !LOOKED_AT.includes(table)).toReversed();
    await this.#connection.alone(undefined, async (session) => {
      await asMover(session, this.#tenant, "connection");
      for (const table of [...LOOKED_AT, ...others]) {
        await this.#empty(session, table);
      }
    });
  }

  async #empty(session: Session, table: keyof TableNames): Promise<void> {
    const name = this.#tables[table];
    const remove = statement<[]>(
      `move_remove_${table}`,
      `DELETE FROM ${name} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${name} WHERE tenant = $1 LIMIT ${AT_ONCE})) RETURNING NULL`,
    );
    for (let removed = AT_ONCE; removed === AT_ONCE; ) {
      removed = (await session.rows(remove, [this.#tenant])).length;
    }
  }
}
