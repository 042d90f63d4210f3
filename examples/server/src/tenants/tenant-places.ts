import { BelfryError, type Logger } from "@belfry/core";
import type pg from "pg";

/** How often a process reads where tenants are. */
export const PLACES_READ_MS = 1_000;

/** For how long a process trusts what it has read. It is shorter than {@link TenantPlaces.set} waits, so that nobody goes by an old place after that. */
const TRUSTED_MS = 2 * PLACES_READ_MS;

/** Which database each tenant is in: a table of the host's own in the first database. A tenant that is not in it is in the first one. */
export class TenantPlaces {
  readonly #pool: pg.Pool;
  readonly #logger: Logger;
  #moved: () => void = () => {};
  #places: ReadonlyMap<string, string> = new Map();
  /** When the last read that succeeded began. */
  #readAtMs = Number.NEGATIVE_INFINITY;
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
    await this.#read();
    this.#readAgain(performance.now());
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer ?? undefined);
    await this.#pool.end();
  }

  /**
   * The name of a tenant's database; undefined for the first one.
   *
   * @throws BelfryError `STORAGE_UNAVAILABLE` if the table was not read for two seconds: the tenant may have moved meanwhile
   */
  of(tenant: string): string | undefined {
    if (performance.now() - this.#readAtMs > TRUSTED_MS) {
      throw new BelfryError(
        "STORAGE_UNAVAILABLE",
        "The host cannot read at present where its tenants are. The same call may succeed in some seconds.",
      );
    }
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

  async #read(): Promise<void> {
    const beganMs = performance.now();
    const config = { text: "SELECT tenant, database FROM host_tenant_places", query_timeout: PLACES_READ_MS };
    const { rows } = await this.#pool.query<{ tenant: string; database: string }>(config);
    const hasMoved = rows.some(({ tenant, database }) => this.#places.get(tenant) !== database);
    this.#places = new Map(rows.map(({ tenant, database }) => [tenant, database]));
    this.#readAtMs = beganMs;
    if (hasMoved) {
      this.#moved();
    }
  }

  /** Reads again a second after the last read began. */
  #readAgain(beganMs: number): void {
    const delayMs = Math.max(0, beganMs + PLACES_READ_MS - performance.now());
    this.#timer = setTimeout(async () => {
      const nowMs = performance.now();
      try {
        await this.#read();
      } catch (error) {
        // What was read before is trusted for two seconds, and then calls are refused: the old database would take them after the move.
        this.#logger.warn({ error }, "The host could not read where its tenants are; it looks again in a second.");
      }
      this.#readAgain(nowMs);
    }, delayMs).unref();
  }
}
