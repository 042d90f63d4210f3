import { randomBytes } from "node:crypto";
import { NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { type PostgresServer, startPostgres } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import pg from "pg";
import { parentOf } from "../harness/server-cpu.ts";

const KNOBS = ["synchronous_commit", "fsync", "full_page_writes", "shared_buffers", "wal_sync_method"] as const;

/** As a server of production would have it; its own default is for a machine of 1996. */
const SETTINGS = { shared_buffers: "512MB", max_wal_size: "4GB", checkpoint_timeout: "15min" };

let started: Promise<PostgresServer> | null = null;

/** The server of this run: that of `BENCH_DATABASE_URL`, where databases may be created, or one out of npm packages. */
async function serverUrl(): Promise<string> {
  if (process.env.BENCH_DATABASE_URL) {
    return process.env.BENCH_DATABASE_URL;
  }
  started ??= startPostgres({ durable: true, settings: SETTINGS });
  return (await started).url;
}

/** A fresh database, dropped after the row. */
export class PostgresSetting {
  readonly url: string;
  readonly #server: string;
  readonly #pools: pg.Pool[] = [];
  readonly #services: NotificationService[] = [];

  private constructor(server: string, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async open(): Promise<PostgresSetting> {
    const server = await serverUrl();
    const name = `belfry_bench_${randomBytes(6).toString("hex")}`;
    await administer(server, `CREATE DATABASE ${name}`);
    const url = new URL(server);
    url.pathname = `/${name}`;
    return new PostgresSetting(server, url.href);
  }

  pool(max = 1): pg.Pool {
    const pool = new pg.Pool({ connectionString: this.url, max });
    // A server that is stopped ends its sessions; the row has what it needs by then.
    pool.on("error", () => {});
    this.#pools.push(pool);
    return pool;
  }

  /** A service over a pool of `max` connections, in a schema whose tables are there. */
  async belfry(
    schema: string,
    max: number,
    options: Partial<Omit<NotificationServiceOptions, "storage">> = {},
  ): Promise<{ readonly service: NotificationService; readonly pool: pg.Pool }> {
    const pool = this.pool(max);
    const service = new NotificationService({ storage: postgresStorage(pool, { schema }), ...options });
    this.#services.push(service);
    await service.inbox("nobody").counts();
    return { service, pool };
  }

  /** The settings that decide the cost, as a connection of each pool reads them. Throws if they differ. */
  async knobs(): Promise<string> {
    const read = await Promise.all(
      this.#pools.map(async (pool) => {
        const settings = KNOBS.map((knob) => `'${knob}=' || current_setting('${knob}')`).join(" || ', ' || ");
        const { rows } = await pool.query<{ knobs: string }>(
          `SELECT 'PostgreSQL ' || current_setting('server_version') || ', ' || ${settings} AS knobs`,
        );
        return rows[0]?.knobs ?? "";
      }),
    );
    const [first = "", ...others] = read;
    if (others.some((other) => other !== first)) {
      throw new Error(`The connections have different settings:\n${read.join("\n")}`);
    }
    return first;
  }

  /** The process that all of the server's are children of; null if it does not run on this machine. */
  async serverPid(): Promise<number | null> {
    if (process.platform !== "linux" || !["127.0.0.1", "localhost"].includes(new URL(this.url).hostname)) {
      return null;
    }
    const [pool] = this.#pools;
    const { rows } = (await pool?.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")) ?? { rows: [] };
    return parentOf(rows[0]?.pid ?? 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.stop()));
    await Promise.all(this.#pools.map((pool) => pool.end()));
    await administer(this.#server, `DROP DATABASE ${new URL(this.url).pathname.slice(1)} WITH (FORCE)`);
  }
}

/** The number in the only column of the only row. */
export async function numberIn(pool: pg.Pool, query: string): Promise<number> {
  const { rows } = await pool.query({ text: query, rowMode: "array" });
  return Number(rows[0]?.[0]);
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
