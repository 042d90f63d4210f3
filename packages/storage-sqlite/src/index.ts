export type { DrizzleSqliteDatabase, DrizzleSqliteTransaction, SqliteTransaction } from "./database/host-database.ts";
export { type MigrateOptions, migrate } from "./migrations/migrate.ts";
export type { SqliteStorageOptions } from "./sqlite-options.ts";
export { SqliteStorage, sqliteStorage } from "./sqlite-storage.ts";
