export { lowestPrograms } from "./binaries.ts";
export { type DatabaseContent, type FreshDatabase, freshDatabase } from "./fresh-database.ts";
export { type PostgresOptions, type PostgresServer, type ShutdownMode, startPostgres } from "./start-postgres.ts";
