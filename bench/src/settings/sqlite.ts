import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import Database from "better-sqlite3";

/** Every connection that set something, so that its settings can be read from it, whoever opened it. */
const connections = new Set<Database.Database>();
const setPragma = Database.prototype.pragma;
Database.prototype.pragma = function remembered(this: Database.Database, ...args: Parameters<typeof setPragma>) {
  connections.add(this);
  return setPragma.apply(this, args);
};

const KNOBS = ["journal_mode", "synchronous", "secure_delete", "foreign_keys", "cache_size", "wal_autocheckpoint"] as const;

/** Options of a database of Belfry's. */
export interface BelfryOptions extends Partial<Omit<NotificationServiceOptions, "storage">> {
  /** @default "full" */
  readonly durability?: "full" | "normal";
}

/** Databases in a directory that is removed after the row. */
export class SqliteSetting {
  readonly directory: string;
  readonly #services: NotificationService[] = [];
  readonly #databases: Database.Database[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<SqliteSetting> {
    return new SqliteSetting(await mkdtemp(join(tmpdir(), "belfry-bench-")));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** A service over the file of this name, whose tables are there. */
  async belfry(name: string, { durability = "full", ...options }: BelfryOptions = {}): Promise<NotificationService> {
    const service = new NotificationService({ storage: sqliteStorage(this.path(name), { durability }), ...options });
    this.#services.push(service);
    // The first call opens and migrates the database.
    await service.inbox("nobody").counts();
    return service;
  }

  /** Makes Belfry's tables in a file, without a service on it. */
  async tables(name: string): Promise<void> {
    const service = new NotificationService({ storage: sqliteStorage(this.path(name)) });
    await service.inbox("nobody").counts();
    await service.stop();
  }

  /** Opens a connection with the settings that Belfry's has. */
  raw(name: string, durability: "full" | "normal" = "full"): Database.Database {
    const database = new Database(this.path(name));
    database.pragma("journal_mode = WAL");
    database.pragma(`synchronous = ${durability === "full" ? "FULL" : "NORMAL"}`);
    database.pragma("secure_delete = ON");
    this.#databases.push(database);
    return database;
  }

  /** The settings of all open connections to the files, as read from them. Throws if they differ. */
  knobs(...names: readonly string[]): string {
    const paths = names.map((name) => this.path(name));
    const open = [...connections].filter((database) => database.open && paths.includes(database.name));
    const read = open.map((database) =>
      KNOBS.map((knob) => `${knob}=${String(setPragma.call(database, knob, { simple: true }))}`).join(", "),
    );
    const [first = "", ...others] = read;
    if (open.length < names.length || others.some((other) => other !== first)) {
      throw new Error(`The connections of ${names.join(", ")} have different settings:\n${read.join("\n")}`);
    }
    return `SQLite ${sqliteVersion()}, ${first}`;
  }

  async close(): Promise<void> {
    for (const service of this.#services) {
      await service.stop();
    }
    for (const database of this.#databases) {
      database.close();
    }
    for (const database of connections) {
      if (!database.open) {
        connections.delete(database);
      }
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** The number in the only column of the only row. */
export function numberOf(database: Database.Database, query: string): number {
  return Number(database.prepare(query).pluck().get());
}

function sqliteVersion(): string {
  const database = new Database(":memory:");
  const version = database.prepare("SELECT sqlite_version()").pluck().get();
  database.close();
  return String(version);
}
