import pg, { type Pool } from "pg";
import { CONNECTION_TIMEOUT_MS } from "../postgres-options.ts";

/** Opens Belfry's own pool to a connection string. @param size how many connections it has at the most */
export function openPool(connectionString: string, size: number): Pool {
  return new pg.Pool({
    connectionString,
    max: size,
    application_name: "belfry",
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    keepAlive: true,
  });
}
