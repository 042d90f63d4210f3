import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import Database from "better-sqlite3";

/** The users over whom the operations are spread. */
export const USERS = Array.from({ length: 1_000 }, (_, index) => `user_${index}`);

export const KNOBS = "SQLite, journal_mode=WAL, synchronous=FULL";

/** A database of Belfry's, on disk. */
export interface BelfryDatabase {
  readonly service: NotificationService;
  readonly path: string;
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

  async belfry(name: string): Promise<BelfryDatabase> {
    const path = join(this.directory, name);
    const service = new NotificationService({ storage: sqliteStorage(path) });
    this.#services.push(service);
    // The first call opens and migrates the database.
    await service.inbox("nobody").counts();
    return { service, path };
  }

  /** Opens a connection as a careful author of raw code does. */
  raw(name: string): Database.Database {
    const database = new Database(join(this.directory, name));
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = FULL");
    this.#databases.push(database);
    return database;
  }

  async close(): Promise<void> {
    for (const service of this.#services) {
      await service.stop();
    }
    for (const database of this.#databases) {
      database.close();
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** The next of the users, over and over. */
export function nextUser(): () => string {
  let turn = 0;
  return () => {
    turn += 1;
    return USERS[(turn * 7_919) % USERS.length] ?? "";
  };
}

/** Puts items into inboxes, spread over the users as they would be over time. */
export async function preload(service: NotificationService, count: number): Promise<void> {
  const user = nextUser();
  for (let written = 0; written < count; written += 250) {
    await Promise.all(
      Array.from({ length: 250 }, () =>
        service.create({ to: user(), title: "Order shipped", message: "It is on its way.", data: { order: 7 } }),
      ),
    );
  }
}
