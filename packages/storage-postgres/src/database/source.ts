import { BelfryError } from "@belfry/core";
import type { Pool } from "pg";
import { type DrizzlePostgresDatabase, poolOf } from "./connection.ts";

/** A database as hosts name it. */
export type DatabaseSource = string | Pool | DrizzlePostgresDatabase;

/** The connection string, or the pool, behind what a host passed as a database. @throws BelfryError `CONFIGURATION` for anything else */
export function requireSource(taker: string, source: DatabaseSource): string | Pool {
  const pool = typeof source === "string" ? source : poolOf(source);
  if (pool === null || pool === "") {
    throw new BelfryError(
      "CONFIGURATION",
      `${taker} got ${source === null ? "null" : source === "" ? "an empty text" : `a ${typeof source}`} as its database. ` +
        "Pass a connection string, a pg Pool, or a drizzle database over a Pool (a single client cannot serve several callers at once).",
    );
  }
  if (typeof pool === "string" && !isConnectionString(pool)) {
    // Only its scheme is shown, because it may hold a password.
    const [scheme] = /^[a-z]{1,20}:/i.exec(pool) ?? ["another text"];
    throw new BelfryError(
      "CONFIGURATION",
      `${taker} takes a connection string such as postgres://user:password@host:5432/database, got ${scheme}.`,
    );
  }
  return pool;
}

/** Whether a text is a URL of PostgreSQL, or a path of a Unix socket, as pg takes both. */
function isConnectionString(text: string): boolean {
  return /^(?:postgres(?:ql)?|socket):/i.test(text) || text.startsWith("/");
}
