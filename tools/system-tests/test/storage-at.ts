import type { Storage } from "@belfry/core/storage";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";

/** These tests lose and rebuild connections all the time, which is not worth a log line. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };

const SQLITE = "sqlite:";

/** A storage over the database at a URL as the complete host takes it: `sqlite:<path>` or `postgres://…`. */
export function storageAt(url: string): Storage {
  return url.startsWith(SQLITE) ? sqliteStorage(url.slice(SQLITE.length)) : postgresStorage(url, { logger: silent });
}
