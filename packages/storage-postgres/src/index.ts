export type { DrizzlePostgresDatabase, DrizzlePostgresTransaction, PostgresTransaction } from "./database/connection.ts";
export { type PostgresTransportOptions, postgresTransport } from "./listen-notify/postgres-transport.ts";
export { type MigrateOptions, migrate } from "./migrations/migrate.ts";
export type { PostgresStorageOptions } from "./postgres-options.ts";
export { PostgresStorage, postgresStorage } from "./postgres-storage.ts";
