export type { DrizzleSqliteDatabase, DrizzleSqliteTransaction, SqliteTransaction } from "./database/connection.ts";
export { type MigrateOptions, migrate } from "./migrations/migrate.ts";
export * as schema from "./schema.ts";
export type { SqliteStorageOptions } from "./sqlite-options.ts";
export { SqliteStorage, sqliteStorage } from "./sqlite-storage.ts";
