import { NotificationService } from "@belfry/core";
import { type PostgresServer, startPostgres } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import pg from "pg";

/** A real PostgreSQL, started for the row. */
export class PostgresSetting {
  readonly #server: PostgresServer;
  readonly #pools: pg.Pool[] = [];
  readonly #services: NotificationService[] = [];

  private constructor(server: PostgresServer) {
    this.#server = server;
  }

  static async open(): Promise<PostgresSetting> {
    return new PostgresSetting(await startPostgres({ durable: true }));
  }

  pool(max: number): pg.Pool {
    const pool = new pg.Pool({ connectionString: this.#server.url, max });
    this.#pools.push(pool);
    return pool;
  }

  /** Makes a service over one pool of `max` connections, in a schema of its own. */
  async belfry(schema: string, max: number): Promise<{ readonly service: NotificationService; readonly pool: pg.Pool }> {
    const pool = this.pool(max);
    const service = new NotificationService({ storage: postgresStorage(pool, { schema }) });
    this.#services.push(service);
    await service.inbox("nobody").counts();
    return { service, pool };
  }

  async knobs(): Promise<string> {
    const { rows } = await this.pool(1).query(
      "SELECT current_setting('server_version') AS version, current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync",
    );
    const [{ version, commit, fsync } = { version: "", commit: "", fsync: "" }] = rows as {
      version: string;
      commit: string;
      fsync: string;
    }[];
    return `PostgreSQL ${version}, synchronous_commit=${commit}, fsync=${fsync}`;
  }

  async close(): Promise<void> {
    for (const service of this.#services) {
      await service.stop();
    }
    for (const pool of this.#pools) {
      await pool.end();
    }
    await this.#server.stop();
  }
}
