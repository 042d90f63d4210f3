import Database from "better-sqlite3";

/**
 * Says which process works on a database: a lock on a small file beside it, held for as long as the process lives. The system
 * itself lets go of it when the process ends, however that happens; nothing has to be cleaned up.
 */
export class WorkerLock {
  readonly #path: string;
  #database: Database.Database | null = null;

  /** @param path the database's own file; empty for a database in memory, which has no other process */
  constructor(path: string) {
    this.#path = path;
  }

  /** Takes the lock, or finds that it is held already. False while another living process, or another storage, holds it. */
  take(): boolean {
    if (this.#path === "" || this.#database !== null) {
      return true;
    }
    const database = new Database(`${this.#path}-belfry-worker`, { timeout: 0 });
    try {
      database.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      database.close();
      if (error instanceof Database.SqliteError && error.code.startsWith("SQLITE_BUSY")) {
        return false;
      }
      throw error;
    }
    this.#database = database;
    return true;
  }

  release(): void {
    this.#database?.close();
    this.#database = null;
  }
}
