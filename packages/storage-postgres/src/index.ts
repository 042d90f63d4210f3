export type { DrizzlePostgresDatabase, DrizzlePostgresTransaction, PostgresTransaction } from "./database/connection.ts";
export type { DatabaseSource } from "./database/source.ts";
export { type PostgresTransportOptions, postgresTransport } from "./listen-notify/postgres-transport.ts";
export { type MigrateOptions, migrate } from "./migrations/migrate.ts";
export type { MoveTenantOptions, TenantMoveOptions } from "./moving/move-options.ts";
export { abandonMove, moveTenant, type TenantMoved } from "./moving/move-tenant.ts";
export { type PartitionOptions, partition } from "./partitions/partition.ts";
export type { PostgresStorageOptions, ReplicaOptions } from "./postgres-options.ts";
export { PostgresStorage, postgresStorage } from "./postgres-storage.ts";
