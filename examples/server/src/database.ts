import { BelfryError, type Logger } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import type { DatabaseConfig, ServerConfig } from "./config.ts";

/** Makes the storage on the configured database. It opens nothing before its first use. */
export function storageOf({ database, replicaUrl }: Pick<ServerConfig, "database" | "replicaUrl">, logger: Logger): Storage {
  const replica = replicaUrl === null ? {} : { replica: { database: replicaUrl } };
  return database.kind === "postgres" ? postgresStorage(database.url, { logger, ...replica }) : sqliteStorage(database.file);
}

/** Makes the error for a database that cannot be opened: it names the place, without the password, and says what to do. */
export function databaseFailure(database: DatabaseConfig, error: unknown): unknown {
  if (!(error instanceof BelfryError)) {
    return error;
  }
  if (error.code === "CONFIGURATION") {
    // The server was reached, and its error says what to do.
    return new Error(`Cannot use the database ${place(database)}: ${error.message}`, { cause: error });
  }
  const remedy =
    database.kind === "postgres"
      ? "Check that PostgreSQL runs there, that this database and user exist, and that DATABASE_URL is right."
      : "Check that the file's directory can be written to, or set DATABASE_URL.";
  return new Error(`Cannot use the database ${place(database)}: ${error.message} ${remedy}`, { cause: error });
}

function place(database: DatabaseConfig): string {
  if (database.kind === "sqlite") {
    return `sqlite:${database.file}`;
  }
  const url = new URL(database.url);
  const user = url.username === "" ? "" : `${url.username}@`;
  // Parameters may contain a password, too.
  return `${url.protocol}//${user}${url.host}${url.pathname}`;
}
