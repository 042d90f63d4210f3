import type { Logger } from "@belfry/core";
import type pg from "pg";

/** How often a process reads where tenants are. */
export const PLACES_READ_MS = 1_000;

/** Which database each tenant is in: a table of the host's own in the first database. A tenant that is not in it is in the first one. */
export class TenantPlaces {
  readonly #pool: pg.Pool;
  readonly #logger: Logger;
  #moved: () => void = () => {};
  #places: ReadonlyMap<string, string> = new Map();
  #timer: NodeJS.Timeout | null = null;

  constructor(pool: pg.Pool, logger: Logger) {
    this.#pool = pool;
    this.#logger = logger;
    // A lost idle connection would end the process; the pool opens another.
    pool.on("error", ({ message }) =>
      logger.warn({ reason: message }, "PostgreSQL closed the connection on which the host reads where its tenants are."),
    );
  }

  /** Has `listener` called when tenants are elsewhere than before. */
  onMoved(listener: () => void): void {
    this.#moved = listener;
  }

  /** Makes the table, reads it, and reads it again every second. */
  async start(): Promise<void> {
    await this.#pool.query(`CREATE TABLE IF NOT EXISTS host_tenant_places (tenant text COLLATE "C" PRIMARY KEY, database text NOT NULL)`);
    this.#places = await this.#read();
    this.#readAgain();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer ?? undefined);
    await this.#pool.end();
  }

  /** The name of a tenant's database; undefined for the first one. */
  of(tenant: string): string | undefined {
    return this.#places.get(tenant);
  }

  /** Says where a tenant is, and resolves once every process must have read it. */
  async set(tenant: string, database: string): Promise<void> {
    await this.#pool.query(
      "INSERT INTO host_tenant_places (tenant, database) VALUES ($1, $2) ON CONFLICT (tenant) DO UPDATE SET database = excluded.database",
      [tenant, database],
    );
    await new Promise((resolve) => setTimeout(resolve, 3 * PLACES_READ_MS));
  }

  async #read(): Promise<ReadonlyMap<string, string>> {
    const { rows } = await this.#pool.query<{ tenant: string; database: string }>("SELECT tenant, database FROM host_tenant_places");
    return new Map(rows.map(({ tenant, database }) => [tenant, database]));
  }

  #readAgain(): void {
    this.#timer = setTimeout(async () => {
      try {
        const read = await this.#read();
        const hasMoved = [...read].some(([tenant, database]) => this.#places.get(tenant) !== database);
        this.#places = read;
        if (hasMoved) {
          this.#moved();
        }
      } catch (error) {
        // The database of a tenant that has moved refuses its writes, so nothing is written in the wrong place meanwhile.
        this.#logger.warn({ error }, "The host could not read where its tenants are; it looks again in a second.");
      }
      this.#readAgain();
    }, PLACES_READ_MS).unref();
  }
}
